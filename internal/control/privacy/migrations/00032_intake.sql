-- +goose Up
-- The channels by which requests arrive, and when each was last seen working.
CREATE TABLE privacy_channel (
    id TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    tried_at BIGINT NOT NULL,
    beat_at BIGINT NOT NULL,
    problem TEXT NOT NULL
);
-- How far each mailbox was read: UIDs of IMAP.
CREATE TABLE privacy_mailbox (
    channel TEXT PRIMARY KEY,
    validity BIGINT NOT NULL,
    uid BIGINT NOT NULL
);
-- Every mail that was taken, once; of one that is nobody's request only that it was.
CREATE TABLE privacy_mail (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    message TEXT NOT NULL,
    request TEXT NOT NULL,
    subject TEXT NOT NULL,
    sender TEXT NOT NULL,
    content BLOB,
    reply TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX privacy_mail_request ON privacy_mail (request);
CREATE INDEX privacy_mail_message ON privacy_mail (message);
CREATE INDEX privacy_mail_sender ON privacy_mail (sender, at);
-- Links for places where nothing personal may be said; of the token its SHA-256.
CREATE TABLE privacy_link (
    token TEXT PRIMARY KEY,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    request TEXT NOT NULL
);
CREATE INDEX privacy_link_made ON privacy_link (made_by, made_at);
ALTER TABLE privacy_request ADD COLUMN addressed TEXT NOT NULL DEFAULT '';
