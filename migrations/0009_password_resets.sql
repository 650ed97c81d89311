-- Up Migration

-- A reset is one server-side state machine (R-01): the row says how far it is, and every step is one conditional
-- update from the state it expects. The account is known here only; the browser never sends it again. Flows for
-- names that do not exist have no account and walk the same way (R-19).
CREATE TABLE password_resets (
  id            bytea PRIMARY KEY,
  browser       bytea NOT NULL,
  state         text NOT NULL CHECK (state IN ('named', 'mailed', 'done', 'failed')),
  account_id    uuid REFERENCES accounts (id),
  -- Keyed digest of the name typed: what mail quotas of unknown names count on.
  name_key      bytea NOT NULL,
  email_tries   integer NOT NULL DEFAULT 0,
  -- What the last mail spent, given back when its code is redeemed (R-23).
  mail_key      bytea,
  address_key   bytea,
  mailed_at     timestamptz,
  -- Where the person came from: the sign-in to go back to.
  attempt_uid   text,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  done_at       timestamptz
);

CREATE INDEX password_resets_of_account ON password_resets (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX password_resets_by_expiry ON password_resets (expires_at);
