-- +goose Up
CREATE TABLE service_change (
    line       TEXT PRIMARY KEY,
    order_id   TEXT NOT NULL,
    service    TEXT NOT NULL,
    options    TEXT NOT NULL,
    state      TEXT NOT NULL,
    problem    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL
);
CREATE INDEX service_change_service ON service_change (service, state);
CREATE INDEX service_change_state ON service_change (state, created_at);
