-- +goose Up
-- Sessions of VPN users on the page of their rights, and what administrators did
-- with a login account, as its user sees it. proof is the digest of a challenge
-- that was signed, or the session's id: one challenge opens one session.
CREATE TABLE vpn_user_session (
    id         TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    client     TEXT NOT NULL,
    proof      TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX vpn_user_session_client ON vpn_user_session (client);
CREATE TABLE vpn_act (
    id           TEXT PRIMARY KEY,
    client       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    by_class     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    words_sealed BLOB,
    at           BIGINT NOT NULL
);
CREATE INDEX vpn_act_client ON vpn_act (client, at);
