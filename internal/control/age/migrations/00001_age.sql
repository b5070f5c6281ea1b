-- +goose Up
-- What was learned of a minor's age; rows are only added.
CREATE TABLE age_event (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    account TEXT NOT NULL,
    band TEXT NOT NULL,
    source TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX age_event_subject ON age_event (subject, at);
-- A guardian's consent: from the guardian's account, or in writing.
CREATE TABLE age_guardian (
    subject TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    guardian TEXT NOT NULL,
    document TEXT NOT NULL,
    seen_by TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    confirmed_by TEXT NOT NULL,
    confirmed_at BIGINT NOT NULL
);
CREATE INDEX age_guardian_guardian ON age_guardian (guardian);
-- Readings of a minor's data that staff asked for, and who approved them.
CREATE TABLE age_read (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    reader TEXT NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    approver TEXT NOT NULL,
    approved_at BIGINT NOT NULL
);
CREATE INDEX age_read_subject ON age_read (subject, reader, asked_at);
CREATE INDEX age_read_approved ON age_read (approved_at, asked_at);
-- Sums for the yearly audit.
CREATE TABLE age_count (
    year BIGINT NOT NULL,
    what TEXT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (year, what)
);
CREATE TABLE age_audit (
    year BIGINT PRIMARY KEY,
    due_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    body TEXT NOT NULL
);
