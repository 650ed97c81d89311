import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type MetricObject,
} from 'prom-client';
import type { RefusalCode } from '../kernel/refusal.js';

/** How a step of a person's journey ended: accepted, or the code the page shows. Never who. */
export type Outcome = 'accepted' | RefusalCode;

type Numbers = number | ReadonlyMap<string, number>;

/** A number that is read when the metrics are asked for. */
export interface Reading {
  /** With its unit, as OpenMetrics wants it: `sso_outbox_oldest_age_seconds`. */
  readonly name: string;
  readonly help: string;
  /** Name of the one label, when there are several numbers. */
  readonly label?: string;
  /** Of this process alone, to be summed over all; other readings are of the stores, the same in every process. */
  readonly ofProcess?: true;
  /** A number, or one for each value of the label. When it fails, the number is left out of the answer. */
  readonly read: () => Numbers | Promise<Numbers>;
}

/** What the program counts. Every label is from a small set of our own words: no name, address or id. */
export interface Metrics {
  /** `route` is the template (`/sign-in/:uid/otp`), never the address. */
  httpRequest(this: void, request: { method: string; route: string; status: number; seconds: number }): void;
  login(this: void, outcome: Outcome): void;
  otp(this: void, outcome: Outcome): void;
  /** A phone whose clock was found to be wrong, wherever its codes were typed: by minutes, or by whole hours. */
  clockDrift(this: void, kind: 'minutes' | 'whole_hours'): void;
  reset(this: void, outcome: Outcome | 'code_mailed'): void;
  mail(this: void, kind: string, outcome: string): void;
  outbox(this: void, kind: string, outcome: string): void;
  /** A limit that turned someone away, by its name. */
  throttled(this: void, limit: string): void;
  /** What happened at the protocol endpoints: `authorization`, `grant`, ... by client's grant type and error. */
  protocol(this: void, event: { readonly type: string; readonly error?: string | undefined }): void;
  /** Something that should make an administrator look at an officer, by its kind. */
  officerAlarm(this: void, kind: string): void;
  databaseStatement(this: void): void;
  purged(this: void, table: string, rows: number): void;
  /** Adds a number that its owner knows: queue depths, ages, skew. */
  observe(this: void, reading: Reading): void;
  /** The whole, in the Prometheus text format. */
  render(): Promise<Rendered>;
  /** The same as data, to be sent to the process that joins it with others'. */
  snapshot(): Promise<Snapshot>;
}

export interface Rendered {
  readonly contentType: string;
  readonly body: string;
}

/** The numbers of one process at one moment. */
export type Snapshot = readonly MetricObject[];

/** The numbers of several processes as those of one: counters and queues summed, what the stores say taken once. */
export async function renderTogether(snapshots: readonly Snapshot[]): Promise<Rendered> {
  const joined = AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]));
  return { contentType: joined.contentType, body: await joined.metrics() };
}

/** Seconds: from a cached key set to a login in a crowd. */
const DURATIONS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The counters of one process, with those of Node itself. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames, registers });

  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer, by route template and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATIONS,
    registers,
  });
  const logins = counter('sso_logins_total', 'Passwords submitted, by outcome.', 'outcome');
  const otps = counter('sso_otps_total', 'Second factors submitted, by outcome.', 'outcome');
  const drifts = counter('sso_clock_drifts_total', 'Phones whose clock was found to be wrong, by kind.', 'kind');
  const resets = counter('sso_resets_total', 'Steps of password resets, by outcome.', 'outcome');
  const mails = counter('sso_mails_total', 'Attempts to send a mail, by kind and outcome.', 'mail', 'outcome');
  const outbox = counter(
    'sso_outbox_attempts_total',
    'Outbox messages handled, by kind and outcome.',
    'kind',
    'outcome',
  );
  const throttled = counter('sso_throttled_total', 'Requests turned away by a limit.', 'limit');
  const officerAlarms = counter('sso_officer_alarms_total', 'Alarms that officers raised, by kind.', 'kind');
  const protocol = counter(
    'sso_protocol_events_total',
    'What the OpenID endpoints did, by kind and error.',
    'event',
    'error',
  );
  const statements = counter('sso_database_statements_total', 'SQL statements.');
  const purged = counter('sso_purged_rows_total', 'Expired rows deleted.', 'table');

  return {
    httpRequest: ({ method, route, status, seconds }) => {
      requests.observe({ method, route, status }, seconds);
    },
    login: (outcome) => {
      logins.inc({ outcome });
    },
    otp: (outcome) => {
      otps.inc({ outcome });
    },
    clockDrift: (kind) => {
      drifts.inc({ kind });
    },
    reset: (outcome) => {
      resets.inc({ outcome });
    },
    mail: (mail, outcome) => {
      mails.inc({ mail, outcome });
    },
    outbox: (kind, outcome) => {
      outbox.inc({ kind, outcome });
    },
    throttled: (limit) => {
      throttled.inc({ limit });
    },
    protocol: ({ type, error }) => {
      protocol.inc({ event: type, error: error ?? '' });
    },
    officerAlarm: (kind) => {
      officerAlarms.inc({ kind });
    },
    databaseStatement: () => {
      statements.inc();
    },
    purged: (table, rows) => {
      purged.inc({ table }, rows);
    },
    observe: ({ name, help, label, ofProcess, read }) => {
      new Gauge({
        name,
        help,
        labelNames: label === undefined ? [] : [label],
        registers,
        aggregator: ofProcess === true ? 'sum' : 'max',
        async collect() {
          this.reset();
          if (label === undefined) this.remove();
          try {
            const found = await read();
            if (typeof found === 'number') this.set(found);
            else if (label !== undefined) for (const [value, number] of found) this.set({ [label]: value }, number);
          } catch {
            // One source that is away must not hide the other numbers.
          }
        },
      });
    },
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    snapshot: () => registry.getMetricsAsJSON(),
  };
}
