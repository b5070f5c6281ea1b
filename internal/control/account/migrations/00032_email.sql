-- +goose Up
-- A new address that waits for its confirmation; until then the old one stands.
CREATE TABLE account_email_change (
    subject TEXT PRIMARY KEY,
    email BLOB NOT NULL,
    blind TEXT NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
