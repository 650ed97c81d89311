-- Up Migration

-- The audit trail is tied into a chain (R-41, docs/adr/0018): each row of it holds the hash of the one before, its own
-- number and one event. A sealer adds what was written; nothing here is ever changed.
CREATE TABLE audit_seals (
  -- Without gaps: what is missing shows.
  seq       bigint PRIMARY KEY,
  event_id  bigint NOT NULL UNIQUE,
  -- Finds the event in its month.
  event_at  timestamptz NOT NULL,
  -- SHA-256 over the hash before, the number and the event as text.
  hash      bytea NOT NULL
);

-- What waits for the sealer; written by the statement that writes the event. An event that is in neither table was not
-- written by this program.
CREATE TABLE audit_unsealed (
  event_id  bigint PRIMARY KEY,
  event_at  timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

INSERT INTO audit_unsealed SELECT id, at FROM audit_events;

-- The end of the chain at some moment, with a keyed digest that the database cannot make. Also kept in a second place:
-- a chain that lost its end is caught there.
CREATE TABLE audit_checkpoints (
  seq   bigint PRIMARY KEY,
  at    timestamptz NOT NULL,
  hash  bytea NOT NULL,
  mac   bytea NOT NULL
);
