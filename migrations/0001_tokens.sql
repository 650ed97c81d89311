-- Up Migration

-- What the OpenID provider keeps. No code, token or session id stands here in clear: ids are their SHA-256
-- digests (SECURITY.md A32). Account ids carry no foreign key: every use joins the account, and without a live one
-- the row is dead.

-- Authorization codes, access and refresh tokens, pushed authorization requests, client credentials.
-- Partitioned by the day on which a row may be dropped: a day after its last use, so that cleaning up is a DROP of
-- a table, not millions of DELETEs.
CREATE TABLE oidc_tokens (
  kind         text NOT NULL,
  id           bytea NOT NULL,
  grant_id     bytea,
  account_id   uuid,
  client_id    text,
  -- Set when the token dies with its single sign-on session.
  session_uid  text,
  payload      jsonb NOT NULL,
  expires_at   timestamptz NOT NULL,
  -- Once-only things are spent by one conditional UPDATE of this column (SECURITY.md R-05).
  consumed_at  timestamptz,
  drop_on      date NOT NULL,
  PRIMARY KEY (kind, id, drop_on)
) PARTITION BY RANGE (drop_on);

CREATE INDEX oidc_tokens_of_grant ON oidc_tokens (grant_id) WHERE grant_id IS NOT NULL;

-- Tokens that live longer than 48 hours have drop_on 'infinity' and are purged by DELETE. Kept apart from the days,
-- so that attaching a new day never has to look at them.
CREATE TABLE oidc_tokens_long PARTITION OF oidc_tokens FOR VALUES FROM ('infinity') TO (MAXVALUE);
-- A day without a partition of its own; empty while the job that makes the days runs.
CREATE TABLE oidc_tokens_default PARTITION OF oidc_tokens DEFAULT;

-- Assertions and DPoP proofs already seen (RFC 7523 section 3, RFC 9449 section 11.1). Insert only: a conflict is a
-- replay. Not partitioned, since a partition key beside the id would let one jti in once per partition.
CREATE TABLE oidc_replays (
  id          bytea PRIMARY KEY,
  expires_at  timestamptz NOT NULL
);

CREATE INDEX oidc_replays_by_expiry ON oidc_replays (expires_at);

-- Single sign-on sessions. The id is in the browser's cookie and changes with every login and step-up (R-27); the
-- uid stays, and with it started_at, from which the absolute lifetime counts (R-26).
CREATE TABLE sso_sessions (
  uid             text PRIMARY KEY,
  id              bytea NOT NULL UNIQUE,
  -- Null before anyone has logged in: such a row only carries the state of a form.
  account_id      uuid,
  -- The account's credential epoch at login: a newer one on the account voids the session (R-11).
  cred_epoch      integer,
  payload         jsonb NOT NULL,
  -- By client: its sid and grant. Apart from the payload, so that parallel authorizations can be merged.
  authorizations  jsonb NOT NULL DEFAULT '{}',
  user_agent      text,
  address         text,
  started_at      timestamptz NOT NULL,
  last_seen_at    timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL
) WITH (fillfactor = 85);

CREATE INDEX sso_sessions_of_account ON sso_sessions (account_id) WHERE account_id IS NOT NULL;
-- For the purge: no session outlives its absolute lifetime, and this column never changes.
CREATE INDEX sso_sessions_by_start ON sso_sessions (started_at);

-- What a person's session has granted to a client: one row for both, so that two tabs of one application share it.
-- Every token names its grant; without the row it is dead.
CREATE TABLE oidc_grants (
  id           bytea PRIMARY KEY,
  account_id   uuid NOT NULL,
  -- As in sso_sessions: a newer epoch on the account makes the grant and all its tokens dead.
  cred_epoch   integer NOT NULL,
  client_id    text NOT NULL,
  session_uid  text,
  payload      jsonb NOT NULL,
  expires_at   timestamptz NOT NULL,
  UNIQUE (session_uid, client_id)
);

CREATE INDEX oidc_grants_of_account ON oidc_grants (account_id);
CREATE INDEX oidc_grants_by_expiry ON oidc_grants (expires_at);

-- Signing keys: published, then signing (one for each algorithm), then retired but still published until no token
-- can bear their signature, or revoked at once (R-54).
CREATE TABLE signing_keys (
  kid           text PRIMARY KEY,
  alg           text NOT NULL,
  status        text NOT NULL CHECK (status IN ('published', 'signing', 'retired', 'revoked')),
  public_jwk    jsonb NOT NULL,
  -- The private JWK, sealed for `signing_keys|<kid>|private` (R-15).
  private_jwk   text NOT NULL,
  created_at    timestamptz NOT NULL,
  signing_from  timestamptz,
  retired_at    timestamptz
);

CREATE UNIQUE INDEX signing_keys_one_signing ON signing_keys (alg) WHERE status = 'signing';
