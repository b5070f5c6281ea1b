-- +goose Up
-- What happens for an order of an authority, and from when its person sees it.
ALTER TABLE audit_read ADD COLUMN legal_order TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_read ADD COLUMN shown_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_disclosure ADD COLUMN legal_order TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_disclosure ADD COLUMN shown_from BIGINT NOT NULL DEFAULT 0;
