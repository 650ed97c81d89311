-- Up Migration

-- Messages of one lane go to one place: when one of them arrives, the others need not wait any longer (docs/adr/0030).
ALTER TABLE outbox ADD COLUMN lane text;
CREATE INDEX outbox_by_lane ON outbox (kind, lane, next_attempt_at) WHERE lane IS NOT NULL AND dead_at IS NULL;
