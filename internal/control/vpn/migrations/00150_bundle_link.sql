-- +goose Up
-- Links by which the person behind an SSL client fetches its bundle, one for each client at most.
CREATE TABLE vpn_bundle_link (
    client     TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);
