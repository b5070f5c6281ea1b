-- +goose Up
-- Links by which the person behind an SSL client sets its token up, one for each client at most.
CREATE TABLE vpn_enrolment (
    client      TEXT PRIMARY KEY,
    token_hash  TEXT NOT NULL UNIQUE,
    totp_sealed BLOB,
    tries       BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
