-- Up Migration

-- Logins of devices that have no browser or keyboard of their own (RFC 8628, docs/adr/0030). A row lives for ten minutes.
CREATE TABLE device_codes (
  -- SHA-256 of what the device holds, keyed digest of what the person types.
  id bytea PRIMARY KEY,
  user_code bytea NOT NULL UNIQUE,
  client_id text NOT NULL,
  payload jsonb NOT NULL,
  expires_at timestamptz NOT NULL,
  -- How long the device is to wait between two questions, and when it asked last.
  interval_seconds integer NOT NULL,
  polled_at timestamptz,
  -- Approved, with the person who did, or refused.
  decided_at timestamptz,
  account_id uuid,
  consumed_at timestamptz,
  CHECK (consumed_at IS NULL OR decided_at IS NOT NULL)
);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);
