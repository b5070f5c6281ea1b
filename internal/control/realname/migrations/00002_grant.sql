-- +goose Up
-- By what a name and a number were written: the person's first submission, or
-- an officer's correction with a case. Rows are only added.
CREATE TABLE realname_grant (
    verification TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    officer TEXT NOT NULL,
    case_id TEXT NOT NULL,
    replaces TEXT NOT NULL,
    at BIGINT NOT NULL,
    CHECK ((kind = 'first' AND officer = '' AND case_id = '' AND replaces = '')
        OR (kind = 'correction' AND officer <> '' AND officer <> subject AND case_id <> '' AND replaces <> ''))
);
CREATE INDEX realname_grant_subject ON realname_grant (subject);
-- Until now only first submissions could be written.
INSERT INTO realname_grant (verification, subject, kind, officer, case_id, replaces, at)
    SELECT id, subject, 'first', '', '', '', submitted_at FROM realname_verification;
