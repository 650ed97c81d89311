-- Up Migration

-- When and how well the person behind a page session proved who they are: pages that change an account ask for a second
-- factor that is fresh (R-34).
ALTER TABLE page_sessions
  ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT '-infinity',
  ADD COLUMN acr text;

-- Passkeys stand beside TOTP apps: they have no secret of ours. A device may also end because the person moved to a new
-- phone, or reset their second factors themselves.
ALTER TABLE devices
  DROP CONSTRAINT devices_kind_check,
  DROP CONSTRAINT devices_ended_reason_check,
  DROP CONSTRAINT devices_check,
  ADD CONSTRAINT devices_kind_check CHECK (kind IN ('totp', 'passkey')),
  ADD CONSTRAINT devices_ended_reason_check
    CHECK (ended_reason IN ('removed', 'moved', 'too_many_codes', 'helpdesk_reset', 'self_reset')),
  ADD CONSTRAINT devices_active_check
    CHECK ((status = 'active') <= (name IS NOT NULL AND (secret IS NOT NULL OR kind = 'passkey')));
