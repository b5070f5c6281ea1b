-- +goose Up
-- What its owner says of a thing; that of an SSL server is among its settings.
ALTER TABLE vpn_gateway ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE vpn_client ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE vpn_certificate ADD COLUMN description TEXT NOT NULL DEFAULT '';
