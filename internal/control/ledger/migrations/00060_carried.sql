-- +goose Up
-- What the postings of ended years came to, by account: the balance that its first
-- remaining posting goes on from.
CREATE TABLE ledger_carried (
  account_id TEXT PRIMARY KEY,
  currency TEXT NOT NULL,
  amount BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX ledger_journal_recorded ON ledger_journal (recorded_at);
