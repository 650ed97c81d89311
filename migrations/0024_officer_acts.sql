-- Up Migration

-- What officers do (docs/adr/0019): one row for every act, written by the statement that asks whether the officer may.

-- An agency may demand a second officer for every act on its people and on those below it.
ALTER TABLE agencies ADD COLUMN two_officers boolean NOT NULL DEFAULT false;

-- Closed by an officer: inactive whatever the personnel system says, whose word is kept for the day it is opened again.
ALTER TABLE accounts
  ADD COLUMN disabled_at      timestamptz,
  ADD COLUMN status_imported  text CHECK (status_imported IN ('active', 'inactive')),
  ADD CONSTRAINT accounts_disabled CHECK (
    (disabled_at IS NULL) = (status_imported IS NULL) AND (disabled_at IS NULL OR status = 'inactive')
  );

-- Every act of an officer or operator: who, whom, why, how identity was checked. The reason stands here and not in the
-- audit trail: it is free text and may name people.
ALTER TABLE mfa_resets RENAME TO officer_acts;
ALTER TABLE officer_acts RENAME COLUMN actor_id TO officer_id;
ALTER TABLE officer_acts RENAME COLUMN verification_method TO verification;
ALTER TABLE officer_acts
  ALTER COLUMN verification DROP NOT NULL,
  DROP CONSTRAINT mfa_resets_verification_method_check,
  DROP CONSTRAINT mfa_resets_check,
  DROP CONSTRAINT mfa_resets_check1,
  ADD COLUMN action text NOT NULL DEFAULT 'mfa_reset' CHECK (action IN (
    'mfa_reset', 'unlock', 'disable', 'enable', 'freeze', 'unfreeze', 'sessions_end', 'contact_change',
    'activation_slip', 'role_grant', 'role_revoke'
  )),
  -- Asked for, until a second officer agrees; then done, or turned down, or of no use any more.
  ADD COLUMN state text NOT NULL DEFAULT 'done' CHECK (state IN ('awaiting', 'done', 'rejected', 'void')),
  -- Sealed JSON: what the second officer agrees to, beyond the action itself.
  ADD COLUMN particulars text,
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN decided_by uuid REFERENCES accounts (id),
  ADD COLUMN decided_at timestamptz,
  ADD CONSTRAINT officer_acts_verification CHECK (verification IN ('photo_id', 'presence', 'operator')),
  ADD CONSTRAINT officer_acts_reset_is_verified CHECK (action <> 'mfa_reset' OR verification IS NOT NULL),
  ADD CONSTRAINT officer_acts_by_somebody CHECK (
    CASE WHEN officer_id IS NULL THEN verification = 'operator' ELSE client_id IS NOT NULL END
  ),
  ADD CONSTRAINT officer_acts_not_on_oneself CHECK (officer_id <> account_id),
  ADD CONSTRAINT officer_acts_second_is_another CHECK (decided_by <> officer_id AND decided_by <> account_id),
  ADD CONSTRAINT officer_acts_awaiting CHECK ((state = 'awaiting') = (expires_at IS NOT NULL AND decided_at IS NULL));
ALTER TABLE officer_acts ALTER COLUMN action DROP DEFAULT, ALTER COLUMN state DROP DEFAULT;

ALTER INDEX mfa_resets_of_account RENAME TO officer_acts_of_account;
ALTER INDEX mfa_resets_by_actor RENAME TO officer_acts_by_officer;
-- One of a kind waits for an account at a time.
CREATE UNIQUE INDEX officer_acts_waiting ON officer_acts (account_id, action) WHERE state = 'awaiting';
CREATE INDEX officer_acts_waiting_by_agency ON officer_acts (agency_code, created_at) WHERE state = 'awaiting';

-- What an agency's administrator should look at: told once, in the transaction of the act that raised it.
CREATE TABLE officer_alarms (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind         text NOT NULL CHECK (kind IN ('burst', 'off_hours', 'pattern', 'quota')),
  officer_id   uuid NOT NULL,
  -- Of the account at that moment.
  agency_code  text COLLATE "C" NOT NULL,
  act_id       uuid,
  raised_at    timestamptz NOT NULL,
  seen_by      uuid,
  seen_at      timestamptz,
  CHECK ((seen_by IS NULL) = (seen_at IS NULL))
);

CREATE INDEX officer_alarms_unseen ON officer_alarms (agency_code, raised_at) WHERE seen_at IS NULL;
CREATE INDEX officer_alarms_by_officer ON officer_alarms (officer_id, kind, raised_at);
