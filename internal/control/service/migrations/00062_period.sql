-- +goose Up
-- A service is paid for whole months from its anchor. anchor_months are all that are paid since.
ALTER TABLE service_item ADD COLUMN anchor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_item ADD COLUMN anchor_months BIGINT NOT NULL DEFAULT 0;
-- What the first line was paid with; an empty currency: not known, from before this column.
ALTER TABLE service_item ADD COLUMN currency TEXT NOT NULL DEFAULT '';
ALTER TABLE service_item ADD COLUMN value_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_item ADD COLUMN auto_renew BIGINT NOT NULL DEFAULT 0;
-- The machine of days: what is due until looked_at was done, and what is due next.
ALTER TABLE service_item ADD COLUMN looked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_item ADD COLUMN next_due BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_item ADD COLUMN overdue_stop BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_item ADD COLUMN final_notice BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_item ADD COLUMN data_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX service_item_due ON service_item (next_due);
CREATE TABLE service_period (
    service      TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    period_end   BIGINT NOT NULL,
    months       BIGINT NOT NULL,
    order_id     TEXT NOT NULL,
    line         TEXT NOT NULL,
    UNIQUE (service, period_start),
    CHECK (period_end > period_start)
);
CREATE UNIQUE INDEX service_period_line ON service_period (line);
-- What a line has paid for a period, until it is earned.
CREATE TABLE service_earning (
    service      TEXT NOT NULL,
    line         TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    period_end   BIGINT NOT NULL,
    order_id     TEXT NOT NULL,
    currency     TEXT NOT NULL,
    value_minor  BIGINT NOT NULL,
    earned_at    BIGINT NOT NULL,
    UNIQUE (line, period_start)
);
CREATE INDEX service_earning_end ON service_earning (earned_at, period_end);
CREATE INDEX service_earning_service ON service_earning (service, earned_at);
-- Days of the machine; NULL is off. The scope is a product, or empty: all products.
CREATE TABLE service_setting (
    scope TEXT NOT NULL,
    name  TEXT NOT NULL,
    days  BIGINT,
    UNIQUE (scope, name),
    CHECK (days >= 0)
);
UPDATE service_item SET anchor = delivered_at, anchor_months = months WHERE delivered_at > 0;
UPDATE service_item SET next_due = 1 WHERE state IN ('active', 'suspended') AND paid_through > 0;
INSERT INTO service_period (service, period_start, period_end, months, order_id, line)
    SELECT id, delivered_at, paid_through, months, order_id, line FROM service_item WHERE delivered_at > 0;
INSERT INTO service_earning (service, line, period_start, period_end, order_id, currency, value_minor, earned_at)
    SELECT id, line, delivered_at, paid_through, order_id, '', 0, 0 FROM service_item WHERE delivered_at > 0;
INSERT INTO service_earning (service, line, period_start, period_end, order_id, currency, value_minor, earned_at)
    SELECT c.service, c.line, i.delivered_at, i.paid_through, c.order_id, '', 0, 0
    FROM service_change c JOIN service_item i ON i.id = c.service WHERE c.state <> 'failed' AND i.delivered_at > 0;
