-- +goose Up
-- Which of the powers a member of the staff holds: one row, so one at most.
CREATE TABLE account_power (
    subject TEXT PRIMARY KEY,
    power TEXT NOT NULL CHECK (power IN ('', 'system', 'security', 'audit', 'founding')),
    since BIGINT NOT NULL,
    emergency TEXT NOT NULL CHECK (emergency IN ('', 'system', 'security')),
    emergency_until BIGINT NOT NULL,
    CHECK (emergency = '' OR power <> 'audit')
);
-- The only member of the staff of an installation from before goes on as one
-- that begins, and has 30 days to hand powers over. Where there were several,
-- nobody holds a power until it is given.
INSERT INTO account_power (subject, power, since, emergency, emergency_until)
    SELECT p.subject, 'founding', s.last_at, '', 0
    FROM account_person p, (SELECT coalesce(max(last_seen_at), 0) AS last_at FROM account_session) s
    WHERE p.staff = 1 AND p.permissions <> ''
        AND (SELECT count(*) FROM account_person o WHERE o.staff = 1 AND o.permissions <> '') = 1;
