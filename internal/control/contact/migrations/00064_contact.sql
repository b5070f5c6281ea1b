-- +goose Up
-- What a person may add: each row rests on the act of consent that it names,
-- and is sealed under a key of that act alone.
CREATE TABLE contact_phone (
    subject TEXT PRIMARY KEY,
    number BLOB NOT NULL,
    act TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE contact_qq (
    subject TEXT PRIMARY KEY,
    number BLOB NOT NULL,
    act TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE contact_region (
    subject TEXT PRIMARY KEY,
    place BLOB NOT NULL,
    act TEXT NOT NULL,
    at BIGINT NOT NULL
);
-- A number that waits for its code, and a keyed digest of the code.
CREATE TABLE contact_code (
    subject TEXT PRIMARY KEY,
    number BLOB NOT NULL,
    act TEXT NOT NULL,
    code TEXT NOT NULL,
    tries BIGINT NOT NULL,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
-- Codes that were asked for, by a keyed digest of the number, for a day.
CREATE TABLE contact_asked (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX contact_asked_number ON contact_asked (number, at);
