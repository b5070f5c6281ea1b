-- +goose Up
-- Who of the staff was taught how personal data are handled; rows are only
-- added.
CREATE TABLE account_training (
    subject TEXT NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (subject, at)
);
-- Staff from before the register have 30 days to be taught.
INSERT INTO account_training (subject, at, until)
    SELECT p.subject, s.last_at, s.last_at + 2592000000000
    FROM account_person p, (SELECT coalesce(max(last_seen_at), 0) AS last_at FROM account_session) s
    WHERE p.staff = 1;
