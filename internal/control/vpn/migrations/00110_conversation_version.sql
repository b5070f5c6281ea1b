-- +goose Up
-- The client as it was when its factors were looked at; of before, none is left.
ALTER TABLE vpn_conversation ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
