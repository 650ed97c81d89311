-- Up Migration

-- A person adds an authenticator, or moves to another phone, on our own pages: what was shown is bound to the session
-- it was shown in (R-03), and knows which authenticator it takes the place of (R-04).
ALTER TABLE devices
  ADD COLUMN session_uid text,
  ADD COLUMN replaces uuid REFERENCES devices (id),
  -- The last code typed for it and what came of it: a double tap gets the same answer (R-74).
  ADD COLUMN answered_digest bytea,
  ADD COLUMN answered_at timestamptz,
  ADD COLUMN answer text;

CREATE UNIQUE INDEX devices_pending_of_session ON devices (session_uid) WHERE status = 'pending';
-- For the foreign key: what was never confirmed is deleted.
CREATE INDEX devices_by_replaced ON devices (replaces) WHERE replaces IS NOT NULL;

-- Every authenticator a person ever had is shown to them, newest end first.
CREATE INDEX devices_ended_of_account ON devices (account_id, ended_at) WHERE status = 'ended';

-- Recovery codes just made again, sealed for this row (R-15), until the person says that they are saved: a reload shows
-- the same ones, and an answer that got lost does not cost them.
CREATE TABLE unsaved_recovery_codes (
  session_uid  text PRIMARY KEY,
  account_id   uuid NOT NULL REFERENCES accounts (id),
  set_id       uuid NOT NULL REFERENCES recovery_code_sets (id),
  codes        text NOT NULL,
  created_at   timestamptz NOT NULL
);

CREATE INDEX unsaved_recovery_codes_by_age ON unsaved_recovery_codes (created_at);
