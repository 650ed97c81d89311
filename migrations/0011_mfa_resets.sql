-- Up Migration

-- Every reset of second factors by an officer or operator: who, whom, why, how identity was checked. The reason
-- stands here and not in the audit trail: it is free text and may name people.
CREATE TABLE mfa_resets (
  id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id           uuid NOT NULL REFERENCES accounts (id),
  -- The officer; none when an operator ran the command on the server.
  actor_id             uuid REFERENCES accounts (id),
  client_id            text,
  -- Of the account at that moment: a later move does not rewrite who answered for it.
  agency_code          text COLLATE "C" NOT NULL REFERENCES agencies (code),
  reason               text NOT NULL,
  ticket               text,
  verification_method  text NOT NULL CHECK (verification_method IN ('photo_id', 'operator')),
  created_at           timestamptz NOT NULL,
  CHECK (actor_id <> account_id),
  CHECK (
    CASE verification_method
      WHEN 'operator' THEN actor_id IS NULL
      ELSE actor_id IS NOT NULL AND client_id IS NOT NULL AND ticket IS NOT NULL
    END
  )
);

CREATE INDEX mfa_resets_of_account ON mfa_resets (account_id, created_at);
CREATE INDEX mfa_resets_by_actor ON mfa_resets (actor_id, created_at) WHERE actor_id IS NOT NULL;

-- What an Idempotency-Key has brought about, so that a repeated call gets the same answer and does nothing (R-74).
CREATE TABLE idempotency_keys (
  -- Keyed digests of the caller with the key, and of what was asked: neither can be read here.
  key         bytea PRIMARY KEY,
  request     bytea NOT NULL,
  -- Only NULL while the call is under way, inside its own transaction.
  answer      jsonb,
  expires_at  timestamptz NOT NULL
);

CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
