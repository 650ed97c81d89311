-- Up Migration

-- One row for each authorization request that waits for a person: the provider's interaction and what the
-- person has proved so far. UNLOGGED: lost at a crash, and then the person begins the login again. Never in
-- Redis, where whoever may write could log in as anyone (SECURITY.md A33).
CREATE UNLOGGED TABLE sign_in_attempts (
  uid                   text PRIMARY KEY,
  -- Owned by the provider.
  interaction           jsonb NOT NULL,
  client_id             text,
  prompt                text NOT NULL,
  reasons               text[] NOT NULL DEFAULT '{}',
  session_account_id    uuid,
  return_to             text NOT NULL,
  expires_at            timestamptz NOT NULL,
  -- Digest of the browser's id: a cookie planted from elsewhere does not make it this browser's (A22).
  browser               bytea NOT NULL,
  -- Owned by sign-in.
  account_id            uuid,
  cred_epoch            integer,
  password_at           timestamptz,
  password_weak         boolean NOT NULL DEFAULT false,
  mailbox_at            timestamptz,
  factor_at             timestamptz,
  factor_method         text,
  -- Recovery codes just made, sealed, until the person says that they are saved.
  pending_codes         text,
  -- The last second factor tried and its answer: a double tap gets the same answer (R-74).
  answered_digest       bytea,
  answered_at           timestamptz,
  answer                text,
  finished_at           timestamptz
);

CREATE INDEX sign_in_attempts_by_account ON sign_in_attempts (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX sign_in_attempts_by_session_account ON sign_in_attempts (session_account_id)
  WHERE session_account_id IS NOT NULL;
CREATE INDEX sign_in_attempts_by_expiry ON sign_in_attempts (expires_at);
