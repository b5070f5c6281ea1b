-- +goose Up
CREATE TABLE privacy_request (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    words BLOB NOT NULL,
    reason TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX privacy_request_subject ON privacy_request (subject, id);
CREATE INDEX privacy_request_state ON privacy_request (state, received_at);
CREATE TABLE privacy_clock (
    request TEXT NOT NULL,
    rule TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    provisional BIGINT NOT NULL,
    met_at BIGINT NOT NULL,
    PRIMARY KEY (request, rule)
);
