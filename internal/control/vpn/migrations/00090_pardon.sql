-- +goose Up
-- What an SSL client's failures earned its sources, so that unlocking lifts that and nothing else.
ALTER TABLE vpn_client ADD COLUMN pardoned_at BIGINT NOT NULL DEFAULT 0;
-- throttle is the row of the source alone, in which the tries of this pair were counted too.
ALTER TABLE vpn_attempt ADD COLUMN throttle TEXT NOT NULL DEFAULT '';
CREATE TABLE vpn_ban_share (
    source TEXT NOT NULL,
    client TEXT NOT NULL,
    score  BIGINT NOT NULL,
    PRIMARY KEY (source, client)
);
CREATE INDEX vpn_ban_share_client ON vpn_ban_share (client);
