-- Up Migration

-- What must leave the house after a commit: mail now, logout tokens later. Written in the transaction of the
-- change it tells of, delivered at least once by a worker, then deleted (docs/adr/0008-outbox.md).
CREATE TABLE outbox (
  id               uuid PRIMARY KEY,
  kind             text NOT NULL,
  -- Sealed JSON; wiped when the row dies.
  payload          text,
  -- Of messages with the same key, one waits at a time.
  dedup_key        text UNIQUE,
  created_at       timestamptz NOT NULL,
  expires_at       timestamptz,
  -- When a worker may take it. A worker that takes it moves this to the end of its lease.
  next_attempt_at  timestamptz NOT NULL,
  -- Also the fence: a worker whose lease has ended and was given to another settles nothing.
  attempts         integer NOT NULL DEFAULT 0,
  -- A code, never the words of a server: those quote addresses.
  last_error       text,
  -- Given up; the row stays for the metrics until it is purged.
  dead_at          timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE dead_at IS NULL;
