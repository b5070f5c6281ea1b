-- +goose Up
-- Where each store stands, as somebody vouched for, the newest statement alone.
CREATE TABLE residency_store (
    kind TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    attestor TEXT NOT NULL,
    attested_at BIGINT NOT NULL
);
-- Whose data left the region in a calendar year, each person once.
CREATE TABLE residency_export (
    year BIGINT NOT NULL,
    handle TEXT NOT NULL,
    sensitive INTEGER NOT NULL,
    PRIMARY KEY (year, handle, sensitive)
);
CREATE INDEX residency_export_handle ON residency_export (handle);
-- How many they are: it stays when a person is erased.
CREATE TABLE residency_count (
    year BIGINT NOT NULL,
    sensitive INTEGER NOT NULL,
    people BIGINT NOT NULL,
    PRIMARY KEY (year, sensitive)
);
