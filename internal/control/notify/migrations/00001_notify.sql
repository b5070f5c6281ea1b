-- +goose Up
CREATE TABLE notify_message (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    account TEXT NOT NULL,
    subject TEXT NOT NULL,
    params TEXT NOT NULL,
    dedupe TEXT NOT NULL UNIQUE,
    inbox BIGINT NOT NULL,
    mail TEXT NOT NULL,
    at BIGINT NOT NULL,
    read_at BIGINT NOT NULL
);
CREATE INDEX notify_message_subject ON notify_message (subject, inbox, id);
CREATE TABLE notify_attempt (
    message TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (message, number)
);
