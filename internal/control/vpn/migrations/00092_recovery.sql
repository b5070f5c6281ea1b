-- +goose Up
-- Recovery codes that are left; each is deleted with the login that it opens.
CREATE TABLE vpn_recovery (
    client    TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    PRIMARY KEY (client, code_hash)
);
