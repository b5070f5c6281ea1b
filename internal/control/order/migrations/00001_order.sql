-- +goose Up
CREATE TABLE order_order (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  currency TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  catalogue_version BIGINT NOT NULL,
  quote_hash TEXT NOT NULL,
  idem_key TEXT NOT NULL,
  idem_digest TEXT NOT NULL,
  receipt TEXT NOT NULL,
  placed_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  paid_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  UNIQUE (account_id, idem_key),
  CHECK (total_minor >= 0)
);
CREATE INDEX order_order_account ON order_order (account_id, id);
CREATE TABLE order_line (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  kind TEXT NOT NULL,
  product TEXT NOT NULL,
  region TEXT NOT NULL,
  options TEXT NOT NULL,
  months BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL,
  configuration TEXT NOT NULL,
  state TEXT NOT NULL,
  service_id TEXT NOT NULL,
  problem TEXT NOT NULL,
  UNIQUE (order_id, number),
  CHECK (amount_minor >= 0)
);
