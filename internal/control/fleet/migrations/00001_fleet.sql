-- +goose Up
CREATE TABLE fleet_node (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    region     TEXT NOT NULL,
    location   TEXT NOT NULL,
    addresses  TEXT NOT NULL,
    key_sha256 TEXT NOT NULL,
    version    TEXT NOT NULL,
    last_seen  BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    applied    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX fleet_node_key ON fleet_node (key_sha256) WHERE key_sha256 <> '';
CREATE TABLE fleet_assignment (
    gateway     TEXT PRIMARY KEY,
    node        TEXT NOT NULL,
    generation  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    released_at BIGINT NOT NULL
);
CREATE INDEX fleet_assignment_node ON fleet_assignment (node, released_at);
CREATE TABLE fleet_observation (
    gateway    TEXT PRIMARY KEY,
    node       TEXT NOT NULL,
    generation BIGINT NOT NULL,
    state      TEXT NOT NULL,
    problem    TEXT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE TABLE fleet_session (
    id            TEXT PRIMARY KEY,
    client        TEXT NOT NULL,
    gateway       TEXT NOT NULL,
    source_ip     BLOB,
    inner_address BLOB,
    started_at    BIGINT NOT NULL,
    ended_at      BIGINT NOT NULL,
    reason        TEXT NOT NULL,
    bytes_in      BIGINT NOT NULL,
    bytes_out     BIGINT NOT NULL
);
CREATE INDEX fleet_session_gateway ON fleet_session (gateway, ended_at, id);
CREATE INDEX fleet_session_client ON fleet_session (client, id);
CREATE INDEX fleet_session_started ON fleet_session (started_at);
CREATE TABLE fleet_live (
    session     TEXT PRIMARY KEY,
    gateway     TEXT NOT NULL,
    node        TEXT NOT NULL,
    transport   TEXT NOT NULL,
    bytes_in    BIGINT NOT NULL,
    bytes_out   BIGINT NOT NULL,
    packets_in  BIGINT NOT NULL,
    packets_out BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL
);
CREATE INDEX fleet_live_gateway ON fleet_live (gateway);
CREATE INDEX fleet_live_node ON fleet_live (node, seen_at);
CREATE TABLE fleet_sample (
    gateway   TEXT NOT NULL,
    at        BIGINT NOT NULL,
    bytes_in  BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    sessions  BIGINT NOT NULL,
    PRIMARY KEY (gateway, at)
);
CREATE INDEX fleet_sample_at ON fleet_sample (at);
CREATE TABLE fleet_closure (
    session    TEXT PRIMARY KEY,
    node       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    generation BIGINT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX fleet_closure_node ON fleet_closure (node, at);
CREATE TABLE fleet_day (
    day          TEXT PRIMARY KEY,
    destroyed_at BIGINT NOT NULL
);
