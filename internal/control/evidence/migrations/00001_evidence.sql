-- +goose Up
CREATE TABLE evidence_result (
    query TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    examined BIGINT NOT NULL,
    found BIGINT NOT NULL,
    checks BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    at BIGINT NOT NULL,
    since BIGINT NOT NULL
);
