-- +goose Up
ALTER TABLE privacy_request ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE privacy_request ADD COLUMN identity TEXT NOT NULL DEFAULT 'ok';
ALTER TABLE privacy_request ADD COLUMN special TEXT NOT NULL DEFAULT '';
ALTER TABLE privacy_request ADD COLUMN decision TEXT NOT NULL DEFAULT '';
ALTER TABLE privacy_request ADD COLUMN law TEXT NOT NULL DEFAULT '';
ALTER TABLE privacy_request ADD COLUMN letter BLOB;
ALTER TABLE privacy_request ADD COLUMN letter_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE privacy_request ADD COLUMN answered_at BIGINT NOT NULL DEFAULT 0;
