-- +goose Up
ALTER TABLE vpn_client ADD COLUMN token_kind TEXT NOT NULL DEFAULT 'totp';
ALTER TABLE vpn_client ADD COLUMN token_drift BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vpn_client ADD COLUMN member_of TEXT NOT NULL DEFAULT '[]';
ALTER TABLE vpn_client ADD COLUMN password_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vpn_client ADD COLUMN key_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vpn_client ADD COLUMN token_until BIGINT NOT NULL DEFAULT 0;
-- secret_until stays for processes of the first release, which read it in the place of the three.
UPDATE vpn_client SET password_until = secret_until, key_until = secret_until, token_until = secret_until;
ALTER TABLE vpn_conversation ADD COLUMN awaits TEXT NOT NULL DEFAULT 'code';
ALTER TABLE vpn_conversation ADD COLUMN step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vpn_conversation ADD COLUMN drift BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vpn_conversation ADD COLUMN chosen_group TEXT NOT NULL DEFAULT '';
ALTER TABLE vpn_attempt ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE vpn_attempt ADD COLUMN source_sealed BLOB;
CREATE INDEX vpn_attempt_client ON vpn_attempt (client) WHERE client <> '';
