-- Up Migration

-- Who is logged in on our own pages: a row tied to the provider's session, which ends both (one logout ends all).
CREATE TABLE page_sessions (
  id           bytea PRIMARY KEY,
  account_id   uuid NOT NULL REFERENCES accounts (id),
  session_uid  text NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL
);

CREATE INDEX page_sessions_of_session ON page_sessions (session_uid);
CREATE INDEX page_sessions_by_expiry ON page_sessions (expires_at);
