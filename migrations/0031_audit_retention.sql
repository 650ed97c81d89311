-- Up Migration

-- Where the audit chain begins since old months were archived and dropped (docs/adr/0021): a link that a checkpoint was
-- made of, with a keyed digest that the database cannot make. Rows stay: they are the record of what was dropped when.
CREATE TABLE audit_prunings (
  -- Everything up to and with this link is gone.
  seq      bigint PRIMARY KEY,
  hash     bytea NOT NULL,
  at       timestamptz NOT NULL,
  -- No event of this moment or later was dropped.
  cutoff   timestamptz NOT NULL,
  -- The file it was archived into, without its folder.
  archive  text NOT NULL,
  mac      bytea NOT NULL
);
