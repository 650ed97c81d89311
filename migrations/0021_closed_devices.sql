-- Up Migration

-- An authenticator app of which too many wrong codes were typed is closed for good: its secret is wiped, no code of it
-- is ever accepted. It stays bound, so that nobody who typed those codes finds an account without a factor, whose first
-- one the mailbox would open (R-07, R-09).
ALTER TABLE devices
  ADD COLUMN closed_at timestamptz,
  DROP CONSTRAINT devices_active_check,
  ADD CONSTRAINT devices_active_check
    CHECK ((status = 'active')
      <= (name IS NOT NULL AND (secret IS NOT NULL OR kind = 'passkey' OR closed_at IS NOT NULL))),
  ADD CONSTRAINT devices_closed_check
    CHECK (closed_at IS NULL OR (kind = 'totp' AND status <> 'pending' AND secret IS NULL));
