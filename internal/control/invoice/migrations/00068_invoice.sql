-- +goose Up
-- The last number of each series in each year; 0 in ended_at: nothing of it was
-- destroyed yet.
CREATE TABLE invoice_series (
  series TEXT NOT NULL,
  year BIGINT NOT NULL,
  last BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  PRIMARY KEY (series, year),
  CHECK (last > 0)
);
CREATE TABLE invoice_document (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  series TEXT NOT NULL,
  year BIGINT NOT NULL,
  number BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  order_id TEXT NOT NULL,
  order_kind TEXT NOT NULL,
  refund_no TEXT NOT NULL,
  invoice_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  tax_rate BIGINT NOT NULL,
  seller TEXT NOT NULL,
  book_key TEXT NOT NULL,
  paid_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  UNIQUE (series, year, number),
  UNIQUE (kind, order_id, refund_no),
  CHECK (total_minor > 0),
  CHECK (tax_minor >= 0)
);
CREATE INDEX invoice_document_account ON invoice_document (account_id, issued_at);
CREATE INDEX invoice_document_issued ON invoice_document (issued_at, id);
CREATE TABLE invoice_line (
  document_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  line_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  product TEXT NOT NULL,
  region TEXT NOT NULL,
  names TEXT NOT NULL,
  options TEXT NOT NULL,
  months BIGINT NOT NULL,
  amount_minor BIGINT NOT NULL,
  PRIMARY KEY (document_id, number)
);
-- How far the orders are that were paid before there were invoices.
CREATE TABLE invoice_backfill (
  kind TEXT PRIMARY KEY,
  after TEXT NOT NULL,
  done_at BIGINT NOT NULL
);
