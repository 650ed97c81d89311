-- Up Migration

-- The personnel feed (docs/adr/0020): who came by it, and what each of its files did.

-- Whom a full file that does not name them makes inactive. All that were here before came by an import.
ALTER TABLE accounts ADD COLUMN from_feed boolean NOT NULL DEFAULT true;
ALTER TABLE accounts ALTER COLUMN from_feed SET DEFAULT false;

-- One file, given once. Names no person: counts, lines and codes only.
CREATE TABLE feed_runs (
  id           uuid PRIMARY KEY,
  -- A run that is over by its own word; `running` ones whose process is gone are shown as interrupted.
  state        text NOT NULL CHECK (state IN ('waiting', 'running', 'applied', 'refused', 'failed', 'interrupted')),
  mode         text NOT NULL CHECK (mode IN ('full', 'delta')),
  dry_run      boolean NOT NULL,
  -- The service that sent it; without one it was given on the command line.
  client_id    text,
  -- The agency that the service is bound to: its rows reach no further.
  agency_code  text COLLATE "C",
  -- SHA-256 of the file, once it was read.
  digest       bytea,
  -- Of a signed file: when it was made, by the word of its signature.
  signed_at    timestamptz,
  started_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  -- Why it was refused or failed, as a code.
  cause        text,
  progress     jsonb,
  report       jsonb,
  -- The first rows that were skipped: line, column, reason.
  problems     jsonb
);

CREATE INDEX feed_runs_by_start ON feed_runs (started_at DESC);
CREATE INDEX feed_runs_by_signature ON feed_runs (signed_at DESC) WHERE signed_at IS NOT NULL;
