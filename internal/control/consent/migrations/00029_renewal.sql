-- +goose Up
-- What shuts the consents to a document until a new act, though its text is the
-- same: another handler. epoch counts those that an act came after.
CREATE TABLE consent_renewal (
    cause TEXT NOT NULL,
    document TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (cause, document)
);
CREATE INDEX consent_renewal_document ON consent_renewal (document);
ALTER TABLE consent_event ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
