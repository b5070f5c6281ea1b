-- +goose Up
CREATE TABLE vpn_certificate (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    server     TEXT NOT NULL,
    client     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    serial     TEXT NOT NULL,
    chain      BLOB,
    key_sealed BLOB,
    not_after  BIGINT NOT NULL,
    retire_at  BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    warned     BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX vpn_certificate_name ON vpn_certificate (account, name) WHERE kind <> 'client';
CREATE INDEX vpn_certificate_account ON vpn_certificate (account, id);
CREATE INDEX vpn_certificate_client ON vpn_certificate (client);
CREATE INDEX vpn_certificate_server ON vpn_certificate (server);
CREATE INDEX vpn_certificate_end ON vpn_certificate (not_after);
CREATE TABLE vpn_certificate_use (
    certificate TEXT NOT NULL,
    resource    TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    PRIMARY KEY (certificate, resource, purpose)
);
CREATE INDEX vpn_certificate_use_resource ON vpn_certificate_use (resource, purpose);
CREATE TABLE vpn_server_alias (
    name   TEXT PRIMARY KEY,
    server TEXT NOT NULL
);
CREATE INDEX vpn_server_alias_server ON vpn_server_alias (server);
CREATE TABLE vpn_crl (
    server      TEXT PRIMARY KEY,
    revision    BIGINT NOT NULL,
    made_for    BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    der         BLOB,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL
);
INSERT INTO vpn_certificate (id, account, kind, name, server, client, subject, serial, chain, key_sealed, not_after, retire_at, revoked_at,
        warned, version, created_at, updated_at)
    SELECT 'cert-' || substr(id, 8), account, 'client', name, server, id, subject, serial, certificate, NULL, not_after, 0, 0,
        99, 1, created_at, created_at FROM vpn_client;
