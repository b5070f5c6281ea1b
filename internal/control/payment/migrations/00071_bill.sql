-- +goose Up
-- A day's bill of a provider, as often as it was read, and what of it and of the books differs.
CREATE TABLE payment_bill (
  id TEXT PRIMARY KEY,
  gateway_account_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  readings BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  problem TEXT NOT NULL,
  digest TEXT NOT NULL,
  payments BIGINT NOT NULL,
  refunds BIGINT NOT NULL,
  currency TEXT NOT NULL,
  paid_minor BIGINT NOT NULL,
  returned_minor BIGINT NOT NULL,
  fee_minor BIGINT NOT NULL,
  read_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  UNIQUE (gateway_account_id, day)
);
CREATE TABLE payment_difference (
  id TEXT PRIMARY KEY,
  gateway_account_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  attempt_no TEXT NOT NULL,
  provider_trade_no TEXT NOT NULL,
  refund_no TEXT NOT NULL,
  currency TEXT NOT NULL,
  here_minor BIGINT NOT NULL,
  there_minor BIGINT NOT NULL,
  here_state TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  reading BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  booked_minor BIGINT NOT NULL,
  at BIGINT NOT NULL,
  found_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  UNIQUE (gateway_account_id, day, kind, ref)
);
CREATE INDEX payment_difference_ref ON payment_difference (gateway_account_id, ref);
CREATE INDEX payment_difference_state ON payment_difference (state, id);
CREATE TABLE payment_difference_step (
  difference_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  event TEXT NOT NULL,
  state TEXT NOT NULL,
  actor_class TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  here_minor BIGINT NOT NULL,
  there_minor BIGINT NOT NULL,
  journal_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (difference_id, version)
);
ALTER TABLE payment_receipt ADD COLUMN billed_day BIGINT NOT NULL DEFAULT 0;
CREATE INDEX payment_receipt_unbilled ON payment_receipt (gateway_account_id, paid_at) WHERE billed_day = 0;
CREATE INDEX payment_receipt_suspense ON payment_receipt (disposition, id);
CREATE INDEX payment_refund_unbilled ON payment_refund (gateway_account_id, settled_at) WHERE billed_day = 0;
CREATE INDEX payment_refund_phase ON payment_refund (phase, refund_no);
