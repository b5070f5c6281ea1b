-- +goose Up
CREATE TABLE service_item (
    id            TEXT PRIMARY KEY,
    account       TEXT NOT NULL,
    subject       TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    line          TEXT NOT NULL,
    product       TEXT NOT NULL,
    region        TEXT NOT NULL,
    options       TEXT NOT NULL,
    configuration TEXT NOT NULL,
    months        BIGINT NOT NULL,
    resource      TEXT NOT NULL,
    state         TEXT NOT NULL,
    attempt       BIGINT NOT NULL,
    provider_key  TEXT NOT NULL,
    problem       TEXT NOT NULL,
    reasons       TEXT NOT NULL,
    paid_through  BIGINT NOT NULL,
    overdue_since BIGINT NOT NULL,
    cancel_at_end BIGINT NOT NULL,
    locked        BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    delivered_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX service_item_line ON service_item (order_id, line);
CREATE UNIQUE INDEX service_item_key ON service_item (provider_key);
CREATE INDEX service_item_account ON service_item (account, id);
CREATE INDEX service_item_resource ON service_item (resource);
CREATE INDEX service_item_state ON service_item (state, paid_through);
