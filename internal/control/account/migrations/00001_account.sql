-- +goose Up
CREATE TABLE account_account (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE account_person (
    subject TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    email BLOB NOT NULL,
    email_blind TEXT NOT NULL,
    email_verified_at BIGINT NOT NULL,
    password TEXT NOT NULL,
    password_at BIGINT NOT NULL,
    staff BIGINT NOT NULL,
    permissions TEXT NOT NULL,
    locale TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX account_person_account ON account_person (account);
CREATE TABLE account_email (
    blind TEXT PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    verified_at BIGINT NOT NULL
);
CREATE TABLE account_session (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    family TEXT NOT NULL,
    device BLOB NOT NULL,
    mfa BIGINT NOT NULL,
    step_up_until BIGINT NOT NULL,
    idle_micros BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX account_session_subject ON account_session (subject, revoked_at);
CREATE TABLE account_remember (
    token_hash TEXT PRIMARY KEY,
    family TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX account_remember_family ON account_remember (family);
CREATE INDEX account_remember_subject ON account_remember (subject);
CREATE TABLE account_token (
    token_hash TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    blind TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX account_token_subject ON account_token (subject, kind);
CREATE TABLE account_totp (
    subject TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    last_step BIGINT NOT NULL
);
CREATE TABLE account_recovery (
    subject TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (subject, code_hash)
);
CREATE TABLE account_device (
    subject TEXT NOT NULL,
    device TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (subject, device)
);
CREATE TABLE account_attempt (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    source TEXT NOT NULL,
    pair TEXT NOT NULL,
    name TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX account_attempt_source ON account_attempt (scope, source, at);
CREATE INDEX account_attempt_name ON account_attempt (scope, name, at);
CREATE TABLE account_login (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    session TEXT NOT NULL,
    method TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail BLOB NOT NULL,
    day TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX account_login_subject ON account_login (subject, id);
CREATE TABLE account_access (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    detail BLOB NOT NULL,
    day TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX account_access_subject ON account_access (subject, id);
