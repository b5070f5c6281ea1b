-- +goose Up
-- Whose data was erased, and which classes of keys with it. No row of this
-- table is ever changed or deleted: a restored backup is held against it.
CREATE TABLE keystore_tombstone (
    handle TEXT NOT NULL,
    class TEXT NOT NULL,
    account TEXT NOT NULL,
    client TEXT NOT NULL,
    buried_at BIGINT NOT NULL,
    PRIMARY KEY (handle, class)
);
