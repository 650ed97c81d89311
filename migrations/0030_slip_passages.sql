-- Up Migration

-- A slip whose code was typed right is the passage to the first password: in that browser, for a while (R-01). Digests
-- of the passage's id and of the browser.
ALTER TABLE activation_slips
  ADD COLUMN passage        bytea,
  ADD COLUMN browser        bytea,
  ADD COLUMN passage_until  timestamptz;

CREATE UNIQUE INDEX activation_slip_of_passage ON activation_slips (passage) WHERE passage IS NOT NULL;
