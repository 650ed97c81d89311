-- Up Migration

-- Consecutive failures of one authenticator and the wait they cost (R-07, R-20). Never lost: what protects an
-- account must not be forgotten with a cache. The key is a keyed digest, so that no row names a person.
CREATE TABLE failure_counters (
  scope       text NOT NULL,
  key         bytea NOT NULL,
  failures    integer NOT NULL,
  -- When each failure within the policy's window happened, oldest first.
  recent      timestamptz[] NOT NULL,
  wait_until  timestamptz,
  updated_at  timestamptz NOT NULL,
  PRIMARY KEY (scope, key)
) WITH (fillfactor = 70); -- room for HOT updates: every login writes its row twice

-- Exact sliding windows: when each place within the window was taken, oldest first (R-23).
CREATE TABLE quotas (
  scope       text NOT NULL,
  key         bytea NOT NULL,
  recent      timestamptz[] NOT NULL,
  -- How many places the window has, and when the last one taken leaves it.
  places      integer NOT NULL,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (scope, key)
) WITH (fillfactor = 70);
