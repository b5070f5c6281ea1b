-- +goose Up
-- The proof pack that a person asked for, until its time is over.
CREATE TABLE proof_pack (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    since BIGINT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    percent BIGINT NOT NULL,
    problem TEXT NOT NULL,
    content BLOB,
    size BIGINT NOT NULL,
    digest TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX proof_pack_until ON proof_pack (state, until);
