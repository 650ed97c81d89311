-- Up Migration

-- Relying parties (docs/adr/0026).

-- What every process keeps in memory and reads again when its number has changed.
CREATE TABLE live_revisions (
  name    text PRIMARY KEY,
  number  bigint NOT NULL
);

INSERT INTO live_revisions (name, number) VALUES ('clients', 0), ('signing_keys', 0);

CREATE TABLE clients (
  client_id     text COLLATE "C" PRIMARY KEY,
  source        text NOT NULL CHECK (source IN ('file', 'command', 'console', 'registration')),
  -- In the order of the clients file; what came otherwise stands after it.
  position      integer NOT NULL,
  -- As it was written, without its secret: defaults are those of the program that reads it.
  metadata      jsonb NOT NULL,
  created_at    timestamptz NOT NULL,
  changed_at    timestamptz NOT NULL,
  disabled_at   timestamptz,
  -- Its entry left the clients file.
  left_at       timestamptz,
  -- Tokens that were issued up to then are dead, whatever became of the client since.
  ended_at      timestamptz,
  last_used_at  timestamptz
);

CREATE TABLE client_secrets (
  client_id   text COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
  -- A keyed digest (R-15).
  digest      bytea NOT NULL,
  created_at  timestamptz NOT NULL,
  -- One that was rotated goes on for a while.
  expires_at  timestamptz,
  -- Kept as long as its client: the file still holds it when it has expired.
  of_file     boolean NOT NULL,
  PRIMARY KEY (client_id, digest)
);
