-- +goose Up
CREATE TABLE payment_attempt (
  attempt_no TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  order_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  gateway_account_id TEXT NOT NULL,
  method TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  close_confirmed BIGINT NOT NULL,
  provider_trade_no TEXT NOT NULL,
  refunded_minor BIGINT NOT NULL,
  disputed BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expire_at BIGINT NOT NULL,
  paid_at BIGINT NOT NULL,
  last_notify_at BIGINT NOT NULL,
  last_query_at BIGINT NOT NULL,
  last_query TEXT NOT NULL,
  next_query_at BIGINT NOT NULL,
  nudged_at BIGINT NOT NULL,
  CHECK (amount_minor > 0)
);
CREATE INDEX payment_attempt_order ON payment_attempt (order_id);
CREATE TABLE payment_event (
  gateway_account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  dedupe_key TEXT NOT NULL,
  attempt_no TEXT NOT NULL,
  provider_trade_no TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  status TEXT NOT NULL,
  state TEXT NOT NULL,
  source TEXT NOT NULL,
  digest TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  processed_at BIGINT NOT NULL,
  PRIMARY KEY (gateway_account_id, kind, dedupe_key)
);
CREATE INDEX payment_event_attempt ON payment_event (attempt_no);
CREATE TABLE payment_receipt (
  id TEXT PRIMARY KEY,
  gateway_account_id TEXT NOT NULL,
  provider_trade_no TEXT NOT NULL,
  attempt_no TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  disposition TEXT NOT NULL,
  journal_id TEXT NOT NULL,
  paid_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  UNIQUE (gateway_account_id, provider_trade_no)
);
CREATE INDEX payment_receipt_attempt ON payment_receipt (attempt_no);
CREATE TABLE payment_refused (
  gateway_account_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  reason TEXT NOT NULL,
  count BIGINT NOT NULL,
  last_digest TEXT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (gateway_account_id, day, reason)
);
