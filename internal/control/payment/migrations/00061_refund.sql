-- +goose Up
CREATE TABLE payment_refund (
  refund_no TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  attempt_no TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  gateway_account_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  target TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  phase TEXT NOT NULL,
  version BIGINT NOT NULL,
  problem TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  seconded_by TEXT NOT NULL,
  journal_id TEXT NOT NULL,
  tries BIGINT NOT NULL,
  last_query TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  last_query_at BIGINT NOT NULL,
  next_query_at BIGINT NOT NULL,
  held_at BIGINT NOT NULL,
  settled_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  billed_day BIGINT NOT NULL,
  CHECK (amount_minor > 0)
);
CREATE INDEX payment_refund_order ON payment_refund (order_id);
CREATE INDEX payment_refund_receipt ON payment_refund (receipt_id);
CREATE INDEX payment_refund_account ON payment_refund (account_id, requested_at);
CREATE TABLE payment_refund_step (
  refund_no TEXT NOT NULL,
  version BIGINT NOT NULL,
  event TEXT NOT NULL,
  phase TEXT NOT NULL,
  actor_class TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (refund_no, version)
);
CREATE TABLE payment_halt (
  kind TEXT PRIMARY KEY,
  since BIGINT NOT NULL
);
