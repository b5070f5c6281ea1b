-- +goose Up
-- What became of a message's SMS; attempts are of a mail or of an SMS.
ALTER TABLE notify_message ADD COLUMN sms TEXT NOT NULL DEFAULT 'none';
ALTER TABLE notify_attempt ADD COLUMN channel TEXT NOT NULL DEFAULT 'mail';
CREATE INDEX notify_attempt_channel ON notify_attempt (channel, at);
