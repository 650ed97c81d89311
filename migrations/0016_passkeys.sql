-- Up Migration

-- What the relying party keeps of a passkey (WebAuthn Level 3, section 4, "credential record"), one row for each device
-- of that kind. Nothing here is secret; it is good only while its device is active, so whoever ends devices ends these.
CREATE TABLE passkeys (
  device_id        uuid PRIMARY KEY REFERENCES devices (id),
  credential_id    bytea NOT NULL UNIQUE,
  public_key       bytea NOT NULL,
  -- Rises with every use where the authenticator counts; stays 0 where it does not.
  counter          bigint NOT NULL,
  transports       text[] NOT NULL,
  -- Whether it may leave the device that made it, and whether it has.
  backup_eligible  boolean NOT NULL,
  backed_up        boolean NOT NULL,
  -- What the authenticator knows the account by: says nothing about the person.
  user_handle      bytea NOT NULL
);

-- One open challenge for each ceremony under way, taken by the first answer. UNLOGGED: lost at a crash, and then the
-- person presses the button again. Never in Redis, where whoever may write could choose it (SECURITY.md A33).
CREATE UNLOGGED TABLE passkey_challenges (
  ceremony    text PRIMARY KEY,
  challenge   bytea NOT NULL,
  expires_at  timestamptz NOT NULL
);

CREATE INDEX passkey_challenges_by_expiry ON passkey_challenges (expires_at);

-- When a passkey that verified its user stood for both factors; the password was not asked.
ALTER TABLE sign_in_attempts ADD COLUMN passkey_at timestamptz;
