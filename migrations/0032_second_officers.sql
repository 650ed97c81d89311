-- Up Migration

-- Alarms for what one officer does to many people, and for every appointment (docs/adr/0019).
ALTER TABLE officer_alarms
  DROP CONSTRAINT officer_alarms_kind_check,
  ADD CONSTRAINT officer_alarms_kind_check CHECK (kind IN ('burst', 'off_hours', 'pattern', 'quota', 'mass', 'appointment'));

-- Who was appointed by whom: neither is the other's second officer.
CREATE INDEX role_grants_by_granter ON role_grants (granted_by, account_id) WHERE granted_by IS NOT NULL;
CREATE INDEX officer_acts_of_kind ON officer_acts (account_id, action, created_at);
