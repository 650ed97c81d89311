-- Up Migration

-- Security events, written in the transaction of the change they tell of (R-40). No names, numbers or addresses:
-- ids only. Partitioned by month, so that old months can be archived and dropped.
CREATE TABLE audit_events (
  id          bigint GENERATED ALWAYS AS IDENTITY,
  at          timestamptz NOT NULL,
  type        text NOT NULL,
  account_id  uuid,
  actor_id    uuid,
  agency_code text,
  client_id   text,
  request_id  text,
  detail      jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- Holds what comes while no month has a partition; a job makes the coming months in good time.
CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT;

CREATE INDEX audit_events_by_account ON audit_events (account_id, at) WHERE account_id IS NOT NULL;
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, at) WHERE actor_id IS NOT NULL;
