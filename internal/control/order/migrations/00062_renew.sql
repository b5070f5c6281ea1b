-- +goose Up
-- Of an upgrade: until when value_minor is paid. 0: the end of the period that starts_at lies in.
ALTER TABLE order_line ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0;
-- Of an upgrade: what it adds to what each paid period costs.
ALTER TABLE order_line ADD COLUMN shares TEXT NOT NULL DEFAULT '[]';
