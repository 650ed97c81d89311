-- Up Migration

-- What a signing key does follows from these times, not from a word that some process has to change (docs/adr/0027):
-- published from created_at, signing from signing_from until its successor signs, out of the key set overlap_seconds of
-- the successor later.
ALTER TABLE signing_keys
  ADD COLUMN follows text REFERENCES signing_keys (kid),
  -- How long the key it follows stays published once this one signs.
  ADD COLUMN overlap_seconds integer NOT NULL DEFAULT 604800,
  ADD COLUMN revoked_at timestamptz,
  -- Destroyed when it stops signing.
  ALTER COLUMN private_jwk DROP NOT NULL;

UPDATE signing_keys SET revoked_at = coalesce(retired_at, created_at), private_jwk = NULL WHERE status <> 'signing';
UPDATE signing_keys SET signing_from = created_at WHERE signing_from IS NULL;

ALTER TABLE signing_keys
  ALTER COLUMN signing_from SET NOT NULL,
  ALTER COLUMN overlap_seconds DROP DEFAULT,
  DROP COLUMN retired_at,
  DROP COLUMN status;

-- Of two that rotate or begin at once, one does.
CREATE UNIQUE INDEX signing_keys_one_successor ON signing_keys (alg, coalesce(follows, '')) WHERE revoked_at IS NULL;
