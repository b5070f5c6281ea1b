-- +goose Up
-- Minors whose guardian is gone, until another one consents.
CREATE TABLE age_vacancy (
    subject TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    cause TEXT NOT NULL,
    since BIGINT NOT NULL,
    restricted_at BIGINT NOT NULL,
    code TEXT NOT NULL,
    code_until BIGINT NOT NULL
);
CREATE INDEX age_vacancy_since ON age_vacancy (since);
CREATE INDEX age_vacancy_code ON age_vacancy (code);
