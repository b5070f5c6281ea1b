-- +goose Up
-- What a person switched off: an event on a channel.
CREATE TABLE notify_off (
    subject TEXT NOT NULL,
    event TEXT NOT NULL,
    channel TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (subject, event, channel)
);
-- When a person wants no SMS that can wait: minutes of the day in UTC, so that
-- nothing is kept of the zone where they live.
CREATE TABLE notify_quiet (
    subject TEXT PRIMARY KEY,
    begins BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    at BIGINT NOT NULL
);
