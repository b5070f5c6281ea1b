-- +goose Up
-- An end is of all details of a person that have one key.
CREATE INDEX audit_payload_key ON audit_payload (handle, class);
