-- +goose Up
CREATE TABLE succession_transfer (
    id TEXT PRIMARY KEY,
    successor TEXT NOT NULL,
    contact TEXT NOT NULL,
    region TEXT NOT NULL,
    public_key TEXT NOT NULL,
    documents TEXT NOT NULL,
    change TEXT NOT NULL,
    effective_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    signature TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    told TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    handed TEXT NOT NULL,
    version BIGINT NOT NULL
);
