-- +goose Up
-- What a person wants to happen with their data after their death.
CREATE TABLE privacy_arrangement (
    subject TEXT PRIMARY KEY,
    words BLOB NOT NULL,
    at BIGINT NOT NULL
);
