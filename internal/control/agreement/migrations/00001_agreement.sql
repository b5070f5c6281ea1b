-- +goose Up
-- What sharing rests on. Rows are only added: a new one replaces an older one
-- of the same recipient or assessment.
CREATE TABLE agreement_contract (
    id TEXT PRIMARY KEY,
    recipient TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    purposes TEXT NOT NULL,
    kinds TEXT NOT NULL,
    method TEXT NOT NULL,
    safeguards TEXT NOT NULL,
    supervision TEXT NOT NULL,
    begins_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    approver TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX agreement_contract_recipient ON agreement_contract (recipient, id);
CREATE TABLE agreement_assessment (
    id TEXT PRIMARY KEY,
    pia TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    necessity TEXT NOT NULL,
    impact TEXT NOT NULL,
    measures TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    approver TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX agreement_assessment_pia ON agreement_assessment (pia, id);
