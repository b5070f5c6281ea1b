-- +goose Up
-- What Service.Mark counts once a second for each account that watches.
CREATE INDEX vpn_client_watch ON vpn_client (account, version, updated_at);
CREATE INDEX vpn_certificate_watch ON vpn_certificate (account, version, updated_at);
