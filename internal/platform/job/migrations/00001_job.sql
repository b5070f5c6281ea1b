-- +goose Up
CREATE TABLE job_item (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  dedupe TEXT UNIQUE,
  payload BLOB NOT NULL,
  state TEXT NOT NULL,
  run_at BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
-- +goose StatementBegin
CREATE INDEX job_due ON job_item (state, run_at);
-- +goose StatementEnd
