-- +goose Up
-- The key store: key-encryption keys by name only, wrapped roots and wrapped
-- data keys, index keys. No value of a person is in it.
CREATE TABLE keystore_kek (
    id TEXT PRIMARY KEY,
    suite BIGINT NOT NULL,
    state TEXT NOT NULL,
    proof BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE keystore_root (
    handle TEXT PRIMARY KEY,
    wrapped BLOB,
    kek TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    destroyed_at BIGINT NOT NULL
);
CREATE TABLE keystore_key (
    id TEXT PRIMARY KEY,
    handle TEXT NOT NULL,
    class TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    suite BIGINT NOT NULL,
    wrapped BLOB,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    destroyed_at BIGINT NOT NULL,
    UNIQUE (handle, class, epoch)
);
CREATE TABLE keystore_blind (
    field TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    wrapped BLOB NOT NULL,
    kek TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (field, epoch)
);
