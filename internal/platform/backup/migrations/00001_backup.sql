-- +goose Up
CREATE TABLE backup_run (
    id              TEXT   PRIMARY KEY, -- of the backup; a failed run has one too
    store           TEXT   NOT NULL,    -- main, keys
    region          TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    finished_at     BIGINT NOT NULL,
    size            BIGINT NOT NULL,    -- bytes of the file
    sha256          TEXT   NOT NULL,
    checkpoint_size BIGINT NOT NULL,    -- leaves of the audit log in it
    expires_at      BIGINT NOT NULL,
    error           TEXT   NOT NULL     -- empty: done
);
CREATE INDEX backup_run_at ON backup_run (store, at);

CREATE TABLE backup_restore (
    id         TEXT   PRIMARY KEY,
    backup     TEXT   NOT NULL, -- id of the backup of the main database
    backup_at  BIGINT NOT NULL,
    tombstones BIGINT NOT NULL, -- erasures that were applied again
    lost       BIGINT NOT NULL, -- leaves of the audit log that came after the backup
    opened_at  BIGINT NOT NULL
);

CREATE TABLE backup_drill (
    id          TEXT   PRIMARY KEY,
    at          BIGINT NOT NULL,
    backup      TEXT   NOT NULL,
    backup_sha256 TEXT NOT NULL,
    rpo_seconds BIGINT NOT NULL, -- age of what would have been lost
    rto_seconds BIGINT NOT NULL, -- time until it could have been opened
    row_count   BIGINT NOT NULL,
    leaves      BIGINT NOT NULL, -- of the audit log, all verified
    error       TEXT   NOT NULL  -- empty: passed
);
