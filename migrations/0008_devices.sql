-- Up Migration

-- Every authenticator that is or ever was bound to an account (NIST SP 800-63B section 4.1); ended ones stay as
-- history. A pending one was shown to a person and waits for its first code.
CREATE TABLE devices (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id     uuid NOT NULL REFERENCES accounts (id),
  kind           text NOT NULL CHECK (kind IN ('totp')),
  status         text NOT NULL CHECK (status IN ('pending', 'active', 'ended')),
  name           text,
  -- The TOTP secret, sealed for this row (R-15). Wiped when the device ends.
  secret         text,
  -- The latest time step spent (R-06): moves forward only.
  last_step      bigint NOT NULL DEFAULT 0,
  -- Steps that a phone with a wrong clock showed too early: each refused alone, last_step stays (clock diagnosis).
  burned_steps   bigint[] NOT NULL DEFAULT '{}',
  drift_steps    integer,
  drift_step     bigint,
  drift_seen_at  timestamptz,
  -- The sign-in that enrols it, while pending.
  attempt_uid    text,
  created_at     timestamptz NOT NULL,
  activated_at   timestamptz,
  last_used_at   timestamptz,
  ended_at       timestamptz,
  ended_reason   text CHECK (ended_reason IN ('removed', 'too_many_codes', 'helpdesk_reset')),
  CHECK ((status = 'active') <= (name IS NOT NULL AND secret IS NOT NULL)),
  CHECK ((status = 'ended') = (ended_at IS NOT NULL))
);

CREATE INDEX devices_of_account ON devices (account_id) WHERE status <> 'ended';
CREATE UNIQUE INDEX devices_pending_of_attempt ON devices (attempt_uid) WHERE status = 'pending';
CREATE INDEX devices_pending_by_age ON devices (created_at) WHERE status = 'pending';

-- Recovery codes are issued, counted and ended as a set. One salt a set: one slow hash checks a typed code.
CREATE TABLE recovery_code_sets (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id  uuid NOT NULL REFERENCES accounts (id),
  salt        bytea NOT NULL,
  pepper_kid  text NOT NULL,
  created_at  timestamptz NOT NULL,
  ended_at    timestamptz
);

CREATE UNIQUE INDEX recovery_code_set_of_account ON recovery_code_sets (account_id) WHERE ended_at IS NULL;

CREATE TABLE recovery_codes (
  set_id    uuid NOT NULL REFERENCES recovery_code_sets (id),
  hash      bytea NOT NULL,
  spent_at  timestamptz,
  PRIMARY KEY (set_id, hash)
);

-- Proof that this browser has just shown control of the account's mailbox: spent once, by the enrolment that
-- needs it (R-03).
CREATE TABLE enrolment_tickets (
  account_id  uuid NOT NULL REFERENCES accounts (id),
  browser     bytea NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (account_id, browser)
);

CREATE INDEX enrolment_tickets_by_expiry ON enrolment_tickets (expires_at);
