-- +goose Up
-- Security incidents with personal data, whom they reach, and what is owed by
-- when. Steps are only added. Times are microseconds; 0 is not yet.
CREATE TABLE incident_incident (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    state         TEXT NOT NULL,
    t0            BIGINT NOT NULL,
    discovered_at BIGINT NOT NULL,
    told_at       BIGINT NOT NULL,
    detected_by   TEXT NOT NULL,
    sensitive     BIGINT NOT NULL,
    critical      BIGINT NOT NULL,
    scope         TEXT NOT NULL,
    facts         TEXT NOT NULL,
    people        BIGINT NOT NULL,
    counted_at    BIGINT NOT NULL,
    raised        TEXT NOT NULL,
    owed_at       BIGINT NOT NULL,
    opened_by     TEXT NOT NULL,
    opened_at     BIGINT NOT NULL,
    handled_at    BIGINT NOT NULL,
    closed_at     BIGINT NOT NULL,
    version       BIGINT NOT NULL
);
CREATE TABLE incident_pass (
    incident TEXT NOT NULL,
    number   BIGINT NOT NULL,
    source   TEXT NOT NULL,
    argument TEXT NOT NULL,
    from_at  BIGINT NOT NULL,
    to_at    BIGINT NOT NULL,
    position TEXT NOT NULL,
    done_at  BIGINT NOT NULL,
    PRIMARY KEY (incident, number)
);
CREATE TABLE incident_person (
    incident TEXT NOT NULL,
    subject  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    minor    BIGINT NOT NULL,
    PRIMARY KEY (incident, subject)
);
CREATE INDEX incident_person_subject ON incident_person (subject);
CREATE TABLE incident_clock (
    incident  TEXT NOT NULL,
    rule      TEXT NOT NULL,
    from_at   BIGINT NOT NULL,
    due_at    BIGINT NOT NULL,
    met_at    BIGINT NOT NULL,
    waived_at BIGINT NOT NULL,
    missed_at BIGINT NOT NULL,
    PRIMARY KEY (incident, rule)
);
CREATE TABLE incident_step (
    id       TEXT PRIMARY KEY,
    incident TEXT NOT NULL,
    step     TEXT NOT NULL,
    staff    TEXT NOT NULL,
    detail   TEXT NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX incident_step_incident ON incident_step (incident, id);
CREATE TABLE incident_notice (
    id            TEXT PRIMARY KEY,
    incident      TEXT NOT NULL,
    number        BIGINT NOT NULL,
    state         TEXT NOT NULL,
    cause_unknown BIGINT NOT NULL,
    words         TEXT NOT NULL,
    sha256        TEXT NOT NULL,
    written_by    TEXT NOT NULL,
    written_at    BIGINT NOT NULL,
    sent_by       TEXT NOT NULL,
    sent_at       BIGINT NOT NULL,
    done_at       BIGINT NOT NULL,
    position      TEXT NOT NULL,
    version       BIGINT NOT NULL,
    UNIQUE (incident, number)
);
CREATE TABLE incident_delivery (
    notice     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    mail       TEXT NOT NULL,
    at         BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    reached_at BIGINT NOT NULL,
    PRIMARY KEY (notice, subject)
);
CREATE INDEX incident_delivery_subject ON incident_delivery (subject, at);
CREATE INDEX incident_delivery_reached ON incident_delivery (notice, reached_at);
CREATE TABLE incident_task (
    incident  TEXT NOT NULL,
    subject   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    reference TEXT NOT NULL,
    made_at   BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    closed_by TEXT NOT NULL,
    PRIMARY KEY (incident, subject, kind)
);
CREATE TABLE incident_signature (
    incident TEXT NOT NULL,
    staff    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (incident, staff)
);
CREATE TABLE incident_announcement (
    notice   TEXT PRIMARY KEY,
    incident TEXT NOT NULL,
    staff    TEXT NOT NULL,
    at       BIGINT NOT NULL
);
CREATE TABLE incident_report (
    incident   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    document   TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    missing    TEXT NOT NULL,
    drafted_by TEXT NOT NULL,
    drafted_at BIGINT NOT NULL,
    sent_by    TEXT NOT NULL,
    sent_at    BIGINT NOT NULL,
    reference  TEXT NOT NULL,
    PRIMARY KEY (incident, version)
);
