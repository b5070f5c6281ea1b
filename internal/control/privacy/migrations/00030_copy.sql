-- +goose Up
-- A copy that a person asked for, until it is fetched or its time is over.
CREATE TABLE privacy_copy (
    request TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    account TEXT NOT NULL,
    state TEXT NOT NULL,
    content BLOB,
    size BIGINT NOT NULL,
    digest TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL
);
CREATE INDEX privacy_copy_subject ON privacy_copy (subject, asked_at);
CREATE INDEX privacy_copy_until ON privacy_copy (state, until);
