-- +goose Up
-- Until when the owner of a gateway need not be told again that its connections are used up, or of one of
-- its clients that the allowance is or that it is locked. It takes the place of
-- vpn_limit, which the release before this one reads: what was told of before may be said once more.
CREATE TABLE vpn_told (
    gateway TEXT   NOT NULL,
    client  TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (gateway, client, kind)
);
