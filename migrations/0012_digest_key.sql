-- Up Migration

-- The key of keyed digests (names, addresses, codes: what must compare equal for years). Made at the first start,
-- sealed like every secret, so that the keys in the settings can rotate without forgetting every counter.
CREATE TABLE digest_keys (
  purpose  text PRIMARY KEY,
  sealed   text NOT NULL
);
