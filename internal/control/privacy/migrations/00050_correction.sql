-- +goose Up
-- What of a person was corrected, and who was sent the old value: a task for each,
-- written with the change.
CREATE TABLE privacy_correction (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    fields TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX privacy_correction_subject ON privacy_correction (subject, at);
CREATE TABLE privacy_correction_task (
    id TEXT PRIMARY KEY,
    correction TEXT NOT NULL,
    subject TEXT NOT NULL,
    recipient TEXT NOT NULL,
    legal_name TEXT NOT NULL,
    fields TEXT NOT NULL,
    via TEXT NOT NULL,
    at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    shown_from BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    told_by TEXT NOT NULL,
    receipt TEXT NOT NULL,
    UNIQUE (correction, recipient, legal_name)
);
CREATE INDEX privacy_correction_task_due ON privacy_correction_task (told_at, due_at);
CREATE INDEX privacy_correction_task_subject ON privacy_correction_task (subject);
