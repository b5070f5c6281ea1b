-- +goose Up
-- Bytes that a client may move in a day and a month, both directions together; 0 = as much as it likes.
ALTER TABLE vpn_client ADD COLUMN daily_quota BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vpn_client ADD COLUMN monthly_quota BIGINT NOT NULL DEFAULT 0;
