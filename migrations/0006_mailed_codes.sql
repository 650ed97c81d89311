-- Up Migration

-- One row for each flow that mails codes: the one live code and the wrong tries of the whole flow. A new code
-- replaces the old one and leaves the count alone (SECURITY.md R-08).
CREATE TABLE mailed_codes (
  -- SHA-256 of the purpose and the flow's id.
  flow         bytea PRIMARY KEY,
  -- Absent in a decoy: the flow of a name that does not exist.
  account_id   uuid,
  -- HMAC under a server key, bound to the flow. NULL once the code was used or voided.
  code_digest  bytea,
  wrong_tries  smallint NOT NULL DEFAULT 0,
  -- Typed right: the code stays right until expires_at and need not be typed again.
  verified     boolean NOT NULL DEFAULT false,
  expires_at   timestamptz NOT NULL
);

CREATE INDEX mailed_codes_by_account ON mailed_codes (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX mailed_codes_by_expiry ON mailed_codes (expires_at);
