-- Up Migration

-- What operators and developers see of a relying party, and how one registers itself (docs/adr/0031).

-- The names of the claims that its last tokens carried, by kind of token; never a value.
ALTER TABLE clients ADD COLUMN last_claims jsonb;

-- What the provider refused a client, the same thing once with how often; kept for seven days after the last time.
CREATE TABLE client_errors (
  client_id    text COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
  endpoint     text NOT NULL,
  error        text NOT NULL,
  -- The provider's own words, never the client's or a person's.
  detail       text NOT NULL CHECK (length(detail) <= 300),
  first_at     timestamptz NOT NULL,
  last_at      timestamptz NOT NULL,
  times        bigint NOT NULL CHECK (times > 0),
  -- The latest first, twenty at most.
  request_ids  text[] NOT NULL,
  PRIMARY KEY (client_id, endpoint, error, detail)
);

CREATE INDEX client_errors_last_at ON client_errors (last_at);

-- Who builds a relying party, and may see its registration and errors.
CREATE TABLE client_developers (
  client_id   text COLLATE "C" NOT NULL REFERENCES clients ON DELETE CASCADE,
  account_id  uuid NOT NULL REFERENCES accounts,
  named_at    timestamptz NOT NULL,
  PRIMARY KEY (client_id, account_id)
);

CREATE INDEX client_developers_account ON client_developers (account_id);

-- Initial access tokens (RFC 7591 section 3).
CREATE TABLE client_invitations (
  id          uuid PRIMARY KEY,
  -- A keyed digest (R-15).
  digest      bytea NOT NULL UNIQUE,
  note        text NOT NULL CHECK (length(note) <= 200),
  uses        integer NOT NULL CHECK (uses > 0),
  uses_left   integer NOT NULL CHECK (uses_left BETWEEN 0 AND uses),
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  ended_at    timestamptz
);
