-- +goose Up
-- Devices from which an SSL client has signed in, or wants to, where its settings ask for approval; a grant
-- names the one that it was given to, '' if none was asked for.
ALTER TABLE vpn_client ADD COLUMN device_approval BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vpn_grant ADD COLUMN device TEXT NOT NULL DEFAULT '';
CREATE TABLE vpn_device (
    id           TEXT PRIMARY KEY,
    client       TEXT NOT NULL,
    known_by     TEXT NOT NULL,
    digest       TEXT NOT NULL,
    label_sealed BLOB NOT NULL,
    state        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX vpn_device_digest ON vpn_device (client, digest);
