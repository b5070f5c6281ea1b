-- +goose Up
-- Bytes in a second between the last two reports of a session, and what its client calls itself; gone with the row at the session's end.
ALTER TABLE fleet_live ADD COLUMN rate_in BIGINT NOT NULL DEFAULT 0;
ALTER TABLE fleet_live ADD COLUMN rate_out BIGINT NOT NULL DEFAULT 0;
ALTER TABLE fleet_live ADD COLUMN client_version TEXT NOT NULL DEFAULT '';
