-- Up Migration

-- What happened to an account, waiting a few minutes so that several events become one mail (docs/adr/0014). Written in
-- the transaction of the event, taken in the transaction that queues the mail. No foreign keys here and below: accounts
-- are never deleted, and whoever takes notices must not wait for those who hold the account.
CREATE TABLE account_notices (
  id           uuid PRIMARY KEY,
  account_id   uuid NOT NULL,
  -- Sealed JSON: what happened, in which language it is told, and the address known before it happened.
  notice       text NOT NULL,
  happened_at  timestamptz NOT NULL,
  -- When it leaves at the latest, with all that wait then.
  due_at       timestamptz NOT NULL
);

CREATE INDEX account_notices_of_account ON account_notices (account_id, happened_at);
CREATE INDEX account_notices_by_age ON account_notices (happened_at);

-- The "Bukan saya" of each notice mail: freezes the account once, within ten days.
CREATE TABLE disavowals (
  -- SHA-256 of the 128 random bits in the link.
  token       bytea PRIMARY KEY,
  account_id  uuid NOT NULL,
  -- What the mail told of: kinds and times.
  events      jsonb NOT NULL,
  -- Sealed: where the mail went. The account may have another address by now.
  address     text NOT NULL,
  expires_at  timestamptz NOT NULL,
  used_at     timestamptz
);

CREATE INDEX disavowals_of_account ON disavowals (account_id);
CREATE INDEX disavowals_by_expiry ON disavowals (expires_at);

-- What waits for an officer to look at it. Reasons stand here and not in the audit trail: free text may name people.
CREATE TABLE helpdesk_cases (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id     uuid NOT NULL,
  cause          text NOT NULL CHECK (cause IN ('disavowed', 'frozen_by_operator')),
  -- Of a disavowal: what the person said was not them.
  events         jsonb NOT NULL DEFAULT '[]',
  reason         text,
  since          timestamptz NOT NULL,
  closed_at      timestamptz,
  closed_reason  text,
  CHECK ((closed_at IS NULL) = (closed_reason IS NULL))
);

CREATE UNIQUE INDEX helpdesk_cases_open ON helpdesk_cases (account_id, cause) WHERE closed_at IS NULL;
CREATE INDEX helpdesk_cases_of_account ON helpdesk_cases (account_id, since);

-- A new address on its way. The person's own: asked, then done by a code. An operator's: waiting (the old address can
-- stop it), then invited (the new address was told), then done by a code. One at a time lives for an account.
CREATE TABLE contact_changes (
  id            uuid PRIMARY KEY,
  account_id    uuid NOT NULL,
  state         text NOT NULL CHECK (state IN ('asked', 'waiting', 'invited', 'done', 'stopped', 'failed')),
  -- Sealed.
  address       text NOT NULL,
  -- An operator's.
  reason        text,
  -- Digest of the link that the new address was mailed.
  token         bytea UNIQUE,
  -- What the last code mailed has spent, given back when it is redeemed (R-23).
  source_key    bytea,
  mailed_at     timestamptz,
  requested_at  timestamptz NOT NULL,
  opens_at      timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  CHECK ((state IN ('done', 'stopped', 'failed')) = (ended_at IS NOT NULL))
);

CREATE UNIQUE INDEX contact_changes_live ON contact_changes (account_id) WHERE ended_at IS NULL;
CREATE INDEX contact_changes_of_account ON contact_changes (account_id, requested_at);
CREATE INDEX contact_changes_by_expiry ON contact_changes (expires_at);

-- Whose word the address is. An address that the person chose is not undone by a file that still has the old one.
ALTER TABLE accounts
  -- The person proved this address when they changed it; the personnel system has, or had, another.
  ADD COLUMN email_chosen boolean NOT NULL DEFAULT false,
  -- What the last import said, while the person's own choice stands.
  ADD COLUMN email_imported text,
  -- An import brought it to an account in use, and no code mailed there was typed since.
  ADD COLUMN email_unproved boolean NOT NULL DEFAULT false;

-- Which keys these rows are sealed with (as in 0013).
CREATE INDEX account_notices_by_key ON account_notices (split_part(notice, '.', 2));
CREATE INDEX disavowals_by_key ON disavowals (split_part(address, '.', 2));
CREATE INDEX contact_changes_by_key ON contact_changes (split_part(address, '.', 2));
