-- Up Migration

-- Search of the audit trail within a scope (docs/adr/0021): newest first by agency for officers of an agency, by kind
-- for those who read everything. By kind also serves what asks for every kind, as a merge of a few dozen. Codes are
-- compared byte by byte, as in `agencies`; with another collation the planner would pass the index over.
CREATE INDEX audit_events_by_agency ON audit_events (agency_code COLLATE "C", at, id) WHERE agency_code IS NOT NULL;
CREATE INDEX audit_events_by_type ON audit_events (type COLLATE "C", at, id);
