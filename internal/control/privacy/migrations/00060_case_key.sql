-- +goose Up
-- The case whose own key sealed what is written in a row. Empty: the person's key
-- of the class, as it was before there were keys of cases.
ALTER TABLE privacy_request ADD COLUMN key_case TEXT NOT NULL DEFAULT '';
ALTER TABLE privacy_mail ADD COLUMN key_case TEXT NOT NULL DEFAULT '';
