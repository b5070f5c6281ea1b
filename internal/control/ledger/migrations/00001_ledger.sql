-- +goose Up
CREATE TABLE ledger_account (
  id TEXT PRIMARY KEY,
  code TEXT NOT NULL,
  currency TEXT NOT NULL,
  kind TEXT NOT NULL,
  balance BIGINT NOT NULL,
  version BIGINT NOT NULL,
  min_balance BIGINT,
  max_balance BIGINT,
  opened_at BIGINT NOT NULL,
  UNIQUE (code, currency)
);
CREATE TABLE ledger_journal (
  id TEXT PRIMARY KEY,
  idem_key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  ref_type TEXT NOT NULL,
  ref_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  memo TEXT NOT NULL,
  reverses_id TEXT UNIQUE,
  content TEXT NOT NULL
);
CREATE INDEX ledger_journal_ref ON ledger_journal (ref_type, ref_id);
CREATE TABLE ledger_posting (
  journal_id TEXT NOT NULL,
  line BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  amount BIGINT NOT NULL,
  currency TEXT NOT NULL,
  balance_after BIGINT NOT NULL,
  account_version BIGINT NOT NULL,
  PRIMARY KEY (journal_id, line),
  UNIQUE (account_id, account_version),
  CHECK (amount <> 0)
);
