-- +goose Up
CREATE TABLE erasure_case (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    client TEXT NOT NULL,
    cause TEXT NOT NULL,
    request TEXT NOT NULL,
    step TEXT NOT NULL,
    problem TEXT NOT NULL,
    settled_by TEXT NOT NULL,
    settlement TEXT NOT NULL,
    searched BLOB NOT NULL,
    report TEXT NOT NULL,
    certificate TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    complete_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX erasure_case_step ON erasure_case (step, due_at);
CREATE TABLE erasure_outcome (
    case_id TEXT NOT NULL,
    part TEXT NOT NULL,
    deleted BIGINT NOT NULL,
    class TEXT NOT NULL,
    law TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (case_id, part)
);
CREATE TABLE erasure_recipient (
    case_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    legal_name TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    acknowledged_at BIGINT NOT NULL,
    PRIMARY KEY (case_id, recipient)
);
-- Keys of deleted login accounts that a former release was about to destroy.
UPDATE job_item SET kind = 'vpn.client_gone/erasure' WHERE kind = 'vpn.forget';
