-- Up Migration

-- A code that somebody shows on the page of a sign-in whose password was right, for the officer before them to type:
-- one live code for each account, a newer one takes its place. UNLOGGED: it hangs on the attempt, which is lost at a
-- crash as well.
CREATE UNLOGGED TABLE presence_codes (
  account_id   uuid PRIMARY KEY REFERENCES accounts (id),
  -- A new one with every code: what officers, counter-code and audit trail know it by.
  id           uuid NOT NULL,
  attempt_uid  text NOT NULL,
  cred_epoch   integer NOT NULL,
  -- HMAC under a server key, bound to the account; and sealed, for the page to show it again. NULL once it is used.
  code_digest  bytea,
  sealed_code  text,
  wrong_tries  smallint NOT NULL DEFAULT 0,
  expires_at   timestamptz NOT NULL,
  spent_at     timestamptz
);

CREATE INDEX presence_codes_by_expiry ON presence_codes (expires_at);

-- One-time codes on paper for accounts that never had a password. The code is nowhere: it is the keyed digest of the
-- slip's id, so that a slip can be printed again, and whoever reads the table can make none.
CREATE TABLE activation_slips (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id  uuid NOT NULL REFERENCES accounts (id),
  -- Of the account when it was issued: a freeze or a leave since then voids the slip.
  cred_epoch  integer NOT NULL,
  issued_by   uuid NOT NULL REFERENCES accounts (id),
  -- Slips printed together for a unit.
  batch       uuid,
  issued_at   timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  ended_as    text CHECK (ended_as IN ('used', 'replaced', 'voided')),
  CHECK ((ended_at IS NULL) = (ended_as IS NULL)),
  CHECK (issued_at < expires_at)
);

CREATE UNIQUE INDEX activation_slip_of_account ON activation_slips (account_id) WHERE ended_at IS NULL;
CREATE INDEX activation_slips_of_account ON activation_slips (account_id);
CREATE INDEX activation_slips_by_batch ON activation_slips (batch) WHERE batch IS NOT NULL;
CREATE INDEX activation_slips_by_expiry ON activation_slips (expires_at);
-- Who has never activated, below a unit.
CREATE INDEX accounts_never_activated ON accounts (agency_code) WHERE activated_at IS NULL AND status = 'active';
