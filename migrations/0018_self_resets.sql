-- Up Migration

-- A reset of second factors by their owner: one server-side state machine (R-01), every step one conditional update
-- from the state it expects. A row begins only once captcha and password were right, so names that do not exist leave
-- none, and the browser never sends the account again.
CREATE TABLE self_resets (
  id           bytea PRIMARY KEY,
  browser      bytea NOT NULL,
  -- `factor`: with a recovery code or another device, at once. `wait`: with neither, after a waiting time.
  way          text NOT NULL CHECK (way IN ('factor', 'wait')),
  state        text NOT NULL CHECK (state IN ('proved', 'waiting', 'done', 'failed')),
  account_id   uuid NOT NULL REFERENCES accounts (id),
  -- Of the account when its password was proved here: whatever changes its credentials since ends this passage.
  cred_epoch   integer NOT NULL,
  -- What the last page tells: whether all factors ended, all but the one that proved, or there was none.
  outcome      text CHECK (outcome IN ('all', 'some', 'nothing')),
  -- What the last mail spent, given back when its code is redeemed (R-23).
  address_key  bytea,
  mailed_at    timestamptz,
  -- Where the person came from: the sign-in to go back to, and where its service begins once that sign-in has ended.
  attempt_uid  text,
  back         jsonb,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  CHECK ((outcome IS NOT NULL) = (state = 'done'))
);

CREATE INDEX self_resets_of_account ON self_resets (account_id);
CREATE INDEX self_resets_by_expiry ON self_resets (expires_at);

-- A reset that its owner began with neither code nor device: it takes effect at the first right password after `due_at`,
-- unless somebody stopped it, or password or address changed meanwhile.
CREATE TABLE waiting_resets (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id    uuid NOT NULL REFERENCES accounts (id),
  state         text NOT NULL CHECK (state IN ('waiting', 'done', 'stopped', 'void')),
  -- What it was begun with: another password or address voids it. The address as a keyed digest.
  cred_epoch    integer NOT NULL,
  email_key     bytea NOT NULL,
  -- Digest of the secret in the link that stops it.
  stop_token    bytea NOT NULL UNIQUE,
  stopped_by    text CHECK (stopped_by IN ('link', 'person', 'login')),
  began_at      timestamptz NOT NULL,
  half_told_at  timestamptz,
  due_at        timestamptz NOT NULL,
  -- Nobody came back: from then on it never takes effect.
  lapses_at     timestamptz NOT NULL,
  ended_at      timestamptz,
  CHECK (began_at <= due_at AND due_at < lapses_at),
  CHECK ((ended_at IS NULL) = (state = 'waiting')),
  CHECK ((stopped_by IS NOT NULL) = (state = 'stopped'))
);

-- At most one for each account; also how it is found at a login.
CREATE UNIQUE INDEX waiting_reset_of_account ON waiting_resets (account_id) WHERE state = 'waiting';
CREATE INDEX waiting_resets_of_account ON waiting_resets (account_id, began_at);
CREATE INDEX waiting_resets_by_lapse ON waiting_resets (lapses_at);

-- A reset that waits is an entry in the helpdesk's queue.
ALTER TABLE helpdesk_cases
  DROP CONSTRAINT helpdesk_cases_cause_check,
  ADD CONSTRAINT helpdesk_cases_cause_check CHECK (cause IN ('disavowed', 'frozen_by_operator', 'mfa_reset_waiting'));
