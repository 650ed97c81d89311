-- Up Migration

-- Every reset of second factors by an officer or operator: who, whom, why, how identity was checked.
CREATE TABLE mfa_resets (
  id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id           uuid NOT NULL REFERENCES accounts (id),
  -- The officer; none when an operator ran the command on the server.
  actor_id             uuid REFERENCES accounts (id),
  client_id            text,
  agency_code          text NOT NULL,
  reason               text NOT NULL,
  ticket               text,
  verification_method  text NOT NULL CHECK (verification_method IN ('photo_id', 'operator')),
  created_at           timestamptz NOT NULL
);

CREATE INDEX mfa_resets_of_account ON mfa_resets (account_id, created_at);
CREATE INDEX mfa_resets_by_actor ON mfa_resets (actor_id, created_at);

-- The answer given to an Idempotency-Key, so that a repeated call gets it again and does nothing (R-74).
CREATE TABLE idempotency_keys (
  caller       text NOT NULL,
  key          text NOT NULL,
  request      bytea NOT NULL,
  status       integer,
  body         jsonb,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (caller, key)
);

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
