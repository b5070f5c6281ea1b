-- +goose Up
-- The proof of a guardian's request: of the document its SHA-256 only.
CREATE TABLE privacy_guardian (
    request TEXT PRIMARY KEY,
    child_account TEXT NOT NULL,
    child TEXT NOT NULL,
    document TEXT NOT NULL,
    seen_by TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    confirmed_by TEXT NOT NULL,
    confirmed_at BIGINT NOT NULL
);
CREATE INDEX privacy_guardian_child ON privacy_guardian (child);
