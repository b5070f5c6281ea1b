-- +goose Up
-- routes holds the networks behind a client, separated by blanks.
ALTER TABLE vpn_client ADD COLUMN fixed_ip6 TEXT NOT NULL DEFAULT '';
ALTER TABLE vpn_client ADD COLUMN routes TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX vpn_client_fixed6 ON vpn_client (server, fixed_ip6) WHERE fixed_ip6 <> '';
