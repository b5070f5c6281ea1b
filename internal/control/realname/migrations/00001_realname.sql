-- +goose Up
CREATE TABLE realname_case (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL UNIQUE
);
