-- +goose Up
-- Certificates of CAs of customers' own that open nothing any more; issuer is as gwlink.NameHash says it.
CREATE TABLE vpn_block (
    id         TEXT PRIMARY KEY,
    server     TEXT NOT NULL,
    account    TEXT NOT NULL,
    issuer     TEXT NOT NULL,
    serial     TEXT NOT NULL,
    ca_name    TEXT NOT NULL,
    client     TEXT NOT NULL,
    not_after  BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX vpn_block_certificate ON vpn_block (server, issuer, serial);
CREATE INDEX vpn_block_client ON vpn_block (client) WHERE client <> '';
