-- +goose Up
CREATE TABLE vpn_gone (
    id      TEXT PRIMARY KEY,
    gone_at BIGINT NOT NULL
);
