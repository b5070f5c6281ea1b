-- +goose Up
-- What each nightly run did with each class, and what is kept beyond its time.
CREATE TABLE privacy_retention (
    run TEXT NOT NULL,
    class TEXT NOT NULL,
    at BIGINT NOT NULL,
    examined BIGINT NOT NULL,
    destroyed BIGINT NOT NULL,
    held BIGINT NOT NULL,
    overdue BIGINT NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (run, class)
);
CREATE INDEX privacy_retention_at ON privacy_retention (at);
CREATE TABLE privacy_hold (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    class TEXT NOT NULL,
    law TEXT NOT NULL,
    authority TEXT NOT NULL,
    placed_by TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    ended_by TEXT NOT NULL,
    ended_at BIGINT NOT NULL
);
CREATE INDEX privacy_hold_subject ON privacy_hold (subject, until);
