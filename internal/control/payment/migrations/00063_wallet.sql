-- +goose Up
ALTER TABLE payment_attempt ADD COLUMN hold TEXT NOT NULL DEFAULT '';
ALTER TABLE payment_attempt ADD COLUMN hold_wallet_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payment_attempt ADD COLUMN hold_gift_minor BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX payment_attempt_hold ON payment_attempt (order_id) WHERE hold = 'held';
CREATE INDEX payment_attempt_topup ON payment_attempt (account_id, attempt_no) WHERE purpose = 'topup';
CREATE TABLE payment_grant (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  account_id TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  left_minor BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  journal_id TEXT NOT NULL,
  CHECK (amount_minor > 0),
  CHECK (left_minor >= 0)
);
CREATE INDEX payment_grant_account ON payment_grant (account_id);
CREATE TABLE payment_gift_use (
  grant_id TEXT NOT NULL,
  ref TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  PRIMARY KEY (grant_id, ref),
  CHECK (amount_minor > 0)
);
CREATE INDEX payment_gift_use_ref ON payment_gift_use (ref);
CREATE TABLE payment_transfer (
  id TEXT PRIMARY KEY,
  attempt_no TEXT NOT NULL,
  bank_reference TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  received_on BIGINT NOT NULL,
  proof TEXT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  entered_by TEXT NOT NULL,
  entered_at BIGINT NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  result TEXT NOT NULL,
  CHECK (amount_minor > 0)
);
CREATE INDEX payment_transfer_attempt ON payment_transfer (attempt_no);
