-- +goose Up
-- The day (+08:00, by its end) for which a gateway's owner was last told that a limit is reached.
CREATE TABLE vpn_limit (
    gateway TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    day     BIGINT NOT NULL,
    PRIMARY KEY (gateway, kind)
);
