-- +goose Up
-- What a message belongs to together with others, whose sender wants to know
-- what became of each.
ALTER TABLE notify_message ADD COLUMN batch TEXT NOT NULL DEFAULT '';
