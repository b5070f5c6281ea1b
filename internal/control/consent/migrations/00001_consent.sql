-- +goose Up
-- Published versions and their texts never change; events are only added.
CREATE TABLE consent_version (
    document TEXT NOT NULL,
    number TEXT NOT NULL,
    major BIGINT NOT NULL,
    rank BIGINT NOT NULL,
    change TEXT NOT NULL,
    affects TEXT NOT NULL,
    imports TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    published_by TEXT NOT NULL,
    PRIMARY KEY (document, number)
);
CREATE UNIQUE INDEX consent_version_rank ON consent_version (document, rank);
CREATE TABLE consent_text (
    document TEXT NOT NULL,
    number TEXT NOT NULL,
    locale TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (document, number, locale)
);
CREATE TABLE consent_event (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    purpose TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    decision TEXT NOT NULL,
    act TEXT NOT NULL,
    document TEXT NOT NULL,
    number TEXT NOT NULL,
    rank BIGINT NOT NULL,
    text_sha256 TEXT NOT NULL,
    locale TEXT NOT NULL,
    channel TEXT NOT NULL,
    adult BIGINT NOT NULL,
    at BIGINT NOT NULL,
    receipt TEXT NOT NULL
);
CREATE UNIQUE INDEX consent_event_series ON consent_event (subject, purpose, seq);
CREATE TABLE consent_token (
    nonce TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE TABLE consent_secret (
    name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
