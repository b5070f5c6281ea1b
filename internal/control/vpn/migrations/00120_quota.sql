-- +goose Up
-- What staff set for one account in the place of a default; a quota without a row has its default.
CREATE TABLE vpn_quota (
    account TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    value   BIGINT NOT NULL,
    set_at  BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);
-- What customers asked for and nobody has decided yet.
CREATE TABLE vpn_quota_request (
    account  TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    wanted   BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);
