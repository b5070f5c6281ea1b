-- +goose Up
CREATE TABLE realname_verification (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    band TEXT NOT NULL,
    name BLOB,
    number BLOB,
    number_index TEXT NOT NULL,
    submitted_at BIGINT NOT NULL,
    called_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    erase_at BIGINT NOT NULL
);
CREATE INDEX realname_verification_account ON realname_verification (account, submitted_at);
CREATE INDEX realname_verification_number ON realname_verification (number_index, state);
CREATE INDEX realname_verification_erase ON realname_verification (erase_at);
CREATE TABLE realname_attempt (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    number_index TEXT NOT NULL,
    ip_index TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX realname_attempt_account ON realname_attempt (account, at);
CREATE INDEX realname_attempt_number ON realname_attempt (number_index, at);
CREATE INDEX realname_attempt_ip ON realname_attempt (ip_index, at);
