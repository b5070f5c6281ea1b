-- +goose Up
CREATE TABLE vpn_ban (
    source TEXT PRIMARY KEY,
    score  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);
