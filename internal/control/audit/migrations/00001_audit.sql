-- +goose Up
-- The log: leaves without personal data, stored tree hashes, sealed detail,
-- one head row that every appending transaction compares and sets.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    size BIGINT NOT NULL,
    root BLOB NOT NULL
);
INSERT INTO audit_head (id, size, root) VALUES (1, 0, '');
CREATE TABLE audit_leaf (
    idx BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    type TEXT NOT NULL,
    handle TEXT NOT NULL,
    commitment TEXT NOT NULL,
    payload TEXT NOT NULL UNIQUE
);
CREATE INDEX audit_leaf_handle ON audit_leaf (handle, idx);
CREATE TABLE audit_payload (
    id TEXT PRIMARY KEY,
    handle TEXT NOT NULL,
    class TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE audit_hash (
    idx BIGINT PRIMARY KEY,
    hash BLOB NOT NULL
);
CREATE TABLE audit_checkpoint (
    size BIGINT PRIMARY KEY,
    root BLOB NOT NULL,
    note BLOB NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE audit_signer (
    name TEXT PRIMARY KEY,
    verifier TEXT NOT NULL,
    sealed BLOB NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE audit_read (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    handle TEXT NOT NULL,
    class TEXT NOT NULL,
    reader TEXT NOT NULL,
    session TEXT NOT NULL,
    fields TEXT NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX audit_read_handle ON audit_read (handle, at);
CREATE TABLE audit_disclosure (
    id TEXT NOT NULL,
    phase TEXT NOT NULL,
    at BIGINT NOT NULL,
    handle TEXT NOT NULL,
    recipient TEXT NOT NULL,
    legal_name TEXT NOT NULL,
    role TEXT NOT NULL,
    region TEXT NOT NULL,
    op TEXT NOT NULL,
    purpose TEXT NOT NULL,
    basis TEXT NOT NULL,
    mechanism TEXT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (id, phase)
);
CREATE INDEX audit_disclosure_handle ON audit_disclosure (handle, at);
