-- +goose Up
-- What of a refund was paid from the wallet and by gifts, and goes back there.
ALTER TABLE payment_refund ADD COLUMN wallet_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payment_refund ADD COLUMN gift_minor BIGINT NOT NULL DEFAULT 0;
