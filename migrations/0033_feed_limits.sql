-- Up Migration

-- What files of the personnel feed may not do unseen (docs/adr/0020).

-- The agency to which the feed was bound that last said who the account is. NULL: a feed of all agencies, or a command.
ALTER TABLE accounts ADD COLUMN vouched_within text COLLATE "C";

-- How many people each file made inactive, moved or gave another address, unless somebody had named the number: what a
-- day brings in slices counts together. By the agency that they are of since then.
CREATE TABLE feed_run_counts (
  run_id       uuid NOT NULL REFERENCES feed_runs (id) ON DELETE CASCADE,
  change       text NOT NULL CHECK (change IN ('inactive', 'moved', 'readdressed')),
  agency_code  text COLLATE "C" NOT NULL,
  people       integer NOT NULL,
  PRIMARY KEY (run_id, change, agency_code)
);

-- `started_over`: the account is another person's from then on.
ALTER TABLE devices
  DROP CONSTRAINT devices_ended_reason_check,
  ADD CONSTRAINT devices_ended_reason_check
    CHECK (ended_reason IN ('removed', 'moved', 'too_many_codes', 'helpdesk_reset', 'self_reset', 'started_over'));
