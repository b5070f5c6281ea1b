-- +goose Up
CREATE TABLE vpn_gateway (
    id              TEXT PRIMARY KEY,
    origin          TEXT NOT NULL UNIQUE,
    account         TEXT NOT NULL,
    name            TEXT NOT NULL,
    region          TEXT NOT NULL,
    network         TEXT NOT NULL,
    state           TEXT NOT NULL,
    problem         TEXT NOT NULL,
    ssl_bandwidth   BIGINT NOT NULL,
    ssl_connections BIGINT NOT NULL,
    node            TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX vpn_gateway_name ON vpn_gateway (account, region, name) WHERE state <> 'deleted';
CREATE INDEX vpn_gateway_account ON vpn_gateway (account, id);
CREATE TABLE vpn_server (
    id           TEXT PRIMARY KEY,
    gateway      TEXT NOT NULL,
    account      TEXT NOT NULL,
    name         TEXT NOT NULL,
    port         BIGINT NOT NULL,
    udp          BIGINT NOT NULL,
    state        TEXT NOT NULL,
    settings     TEXT NOT NULL,
    ca           BLOB NOT NULL,
    ca_key       BLOB NOT NULL,
    chain        BLOB,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX vpn_server_name ON vpn_server (gateway, name);
CREATE INDEX vpn_server_account ON vpn_server (account, id);
CREATE TABLE vpn_client (
    id               TEXT PRIMARY KEY,
    server           TEXT NOT NULL,
    gateway          TEXT NOT NULL,
    account          TEXT NOT NULL,
    subject          TEXT NOT NULL,
    name             TEXT NOT NULL,
    state            TEXT NOT NULL,
    password_hash    TEXT NOT NULL,
    password_sealed  BLOB,
    key_sealed       BLOB,
    totp_sealed      BLOB,
    totp_step        BIGINT NOT NULL,
    secret_until     BIGINT NOT NULL,
    serial           TEXT NOT NULL,
    certificate      BLOB NOT NULL,
    not_after        BIGINT NOT NULL,
    up_rate          BIGINT NOT NULL,
    down_rate        BIGINT NOT NULL,
    fixed_ip         TEXT NOT NULL,
    two_factor_exempt BIGINT NOT NULL,
    max_sessions     BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);
CREATE UNIQUE INDEX vpn_client_name ON vpn_client (server, name);
CREATE UNIQUE INDEX vpn_client_fixed ON vpn_client (server, fixed_ip) WHERE fixed_ip <> '';
CREATE INDEX vpn_client_account ON vpn_client (account, id);
CREATE TABLE vpn_revoked (
    serial     TEXT PRIMARY KEY,
    server     TEXT NOT NULL,
    not_after  BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX vpn_revoked_server ON vpn_revoked (server, serial);
CREATE TABLE vpn_conversation (
    id         TEXT PRIMARY KEY,
    server     TEXT NOT NULL,
    client     TEXT NOT NULL,
    origin     TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE vpn_attempt (
    origin     TEXT PRIMARY KEY,
    count      BIGINT NOT NULL,
    until      BIGINT NOT NULL
);
CREATE TABLE vpn_grant (
    session    TEXT PRIMARY KEY,
    gateway    TEXT NOT NULL,
    server     TEXT NOT NULL,
    client     TEXT NOT NULL,
    issued_at  BIGINT NOT NULL,
    not_after  BIGINT NOT NULL
);
CREATE INDEX vpn_grant_gateway ON vpn_grant (gateway);
CREATE INDEX vpn_grant_client ON vpn_grant (client);
CREATE TABLE vpn_secret (
    name       TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    public     BLOB,
    created_at BIGINT NOT NULL
);
