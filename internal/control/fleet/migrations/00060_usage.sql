-- +goose Up
-- What an SSL client has moved in the present day and month (+08:00), in both
-- directions together. One row each: what is over is not kept.
CREATE TABLE fleet_usage (
    client      TEXT PRIMARY KEY,
    day         TEXT NOT NULL,
    day_bytes   BIGINT NOT NULL,
    month_bytes BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL
);
CREATE INDEX fleet_usage_changed ON fleet_usage (changed_at);
