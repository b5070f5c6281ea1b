-- +goose Up
CREATE TABLE catalog_version (
  version BIGINT PRIMARY KEY,
  digest TEXT NOT NULL,
  published_at BIGINT NOT NULL
);
CREATE TABLE catalog_region (
  version BIGINT NOT NULL,
  id TEXT NOT NULL,
  location TEXT NOT NULL,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (version, id)
);
CREATE TABLE catalog_product (
  version BIGINT NOT NULL,
  id TEXT NOT NULL,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  max_cycle BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (version, id)
);
CREATE TABLE catalog_price (
  version BIGINT NOT NULL,
  product TEXT NOT NULL,
  region TEXT NOT NULL,
  option_id TEXT NOT NULL,
  option_value TEXT NOT NULL,
  currency TEXT NOT NULL,
  monthly_minor BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (version, product, region, option_id, option_value),
  CHECK (monthly_minor >= 0)
);
