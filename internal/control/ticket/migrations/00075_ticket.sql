-- +goose Up
-- Tickets. Everything that somebody wrote is sealed under a key of its ticket.
CREATE TABLE ticket_ticket (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    subject TEXT NOT NULL,
    department TEXT NOT NULL,
    priority TEXT NOT NULL,
    resource TEXT NOT NULL,
    title BLOB NOT NULL,
    state TEXT NOT NULL,
    assignee TEXT NOT NULL,
    follows TEXT NOT NULL,
    request TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    left_micros BIGINT NOT NULL,
    reminded_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX ticket_ticket_account ON ticket_ticket (account, opened_at);
CREATE INDEX ticket_ticket_subject ON ticket_ticket (subject);
CREATE INDEX ticket_ticket_state ON ticket_ticket (state, changed_at);
-- What customer and staff say to one another.
CREATE TABLE ticket_message (
    id TEXT PRIMARY KEY,
    ticket TEXT NOT NULL,
    subject TEXT NOT NULL,
    staff TEXT NOT NULL,
    words BLOB NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX ticket_message_ticket ON ticket_message (ticket, at);
CREATE INDEX ticket_message_subject ON ticket_message (subject);
-- What staff say among themselves.
CREATE TABLE ticket_note (
    id TEXT PRIMARY KEY,
    ticket TEXT NOT NULL,
    subject TEXT NOT NULL,
    staff TEXT NOT NULL,
    words BLOB NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX ticket_note_ticket ON ticket_note (ticket, at);
CREATE INDEX ticket_note_subject ON ticket_note (subject);
-- Files: a picture is kept as it was drawn again, anything that is neither a
-- picture nor plain text waits until staff let it out.
CREATE TABLE ticket_file (
    id TEXT PRIMARY KEY,
    ticket TEXT NOT NULL,
    subject TEXT NOT NULL,
    staff TEXT NOT NULL,
    name BLOB NOT NULL,
    media TEXT NOT NULL,
    size BIGINT NOT NULL,
    released_by TEXT NOT NULL,
    quarantined BIGINT NOT NULL,
    content BLOB NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX ticket_file_ticket ON ticket_file (ticket, at);
CREATE INDEX ticket_file_subject ON ticket_file (subject);
-- Answers that staff keep ready, in both languages.
CREATE TABLE ticket_canned (
    id TEXT PRIMARY KEY,
    department TEXT NOT NULL,
    title TEXT NOT NULL,
    chinese TEXT NOT NULL,
    english TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);
