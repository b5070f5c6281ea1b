-- +goose Up
ALTER TABLE order_line ADD COLUMN resource TEXT NOT NULL DEFAULT '';
ALTER TABLE order_line ADD COLUMN value_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE order_line ADD COLUMN starts_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX order_line_service ON order_line (service_id, starts_at);
CREATE TABLE order_upgrade (
  service TEXT PRIMARY KEY,
  order_id TEXT NOT NULL
);
