-- +goose Up
-- What becomes of money in suspense: proposed by one, above the limit decided by another.
CREATE TABLE payment_suspense (
  id TEXT PRIMARY KEY,
  receipt_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  order_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  reference TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_at BIGINT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  journal_id TEXT NOT NULL,
  CHECK (amount_minor > 0)
);
CREATE INDEX payment_suspense_receipt ON payment_suspense (receipt_id);
CREATE UNIQUE INDEX payment_suspense_waiting ON payment_suspense (receipt_id) WHERE state = 'waiting';
