-- +goose Up
-- Orders of authorities. What an order says never changes; who approved it is
-- only added; the scan and the package are sealed.
CREATE TABLE legalorder_order (
    id TEXT PRIMARY KEY,
    authority TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    doc_no TEXT NOT NULL,
    law TEXT NOT NULL,
    scan BLOB NOT NULL,
    scan_sha256 TEXT NOT NULL,
    authority_key TEXT NOT NULL,
    categories TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    suppress_until BIGINT NOT NULL,
    suppress_law TEXT NOT NULL,
    approval_authority TEXT NOT NULL,
    approval_doc_no TEXT NOT NULL,
    approval_sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    ended_by TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    package BLOB NOT NULL,
    package_sha256 TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX legalorder_order_expires ON legalorder_order (expires_at);
CREATE TABLE legalorder_subject (
    order_id TEXT NOT NULL,
    handle TEXT NOT NULL,
    PRIMARY KEY (order_id, handle)
);
CREATE INDEX legalorder_subject_handle ON legalorder_subject (handle);
CREATE TABLE legalorder_approval (
    order_id TEXT NOT NULL,
    approver TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (order_id, approver)
);
