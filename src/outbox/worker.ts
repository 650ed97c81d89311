import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { SealedBox } from '../security/sealed-box.js';
import { randomBelow } from '../security/secrets.js';
import type { Database } from '../storage/database.js';
import { createLanes } from './lanes.js';
import { NOTHING, sealContext } from './outbox.js';
import { outboxStore, type Backlog, type ClaimedRow } from './outbox-store.js';
import { GIVE_UP_AFTER_SECONDS, retryAt, WHILE_SOMEBODY_WAITS, type Waits } from './retry.js';

export interface OutboxMessage {
  /** The same at every attempt: what the other side may recognise a repetition by. */
  readonly id: string;
  readonly createdAt: Date;
  readonly payload: unknown;
  /** Whose mailbox it goes to. */
  readonly accountId?: string | undefined;
}

/** What a handler answers. `reason` is a short code for rows, logs and metrics: never a server's own words. */
export type Delivery =
  | { readonly kind: 'delivered' }
  /** Not now: it is tried again until it is too old. */
  | { readonly kind: 'retry'; readonly reason: string }
  /** Never: it is given up at once. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Delivers one message. When `signal` aborts, the attempt is over and a late success may be repeated. */
export type OutboxHandler = (message: OutboxMessage, signal: AbortSignal) => Promise<Delivery>;

/** How one attempt ended, as the metrics count it. */
export type OutboxOutcome = Delivery['kind'] | 'expired' | 'gave_up';

export interface OutboxWorker {
  /** Begins to look for due messages every second. */
  start(): void;
  /** Looks in a moment: for who has just added a message in a transaction that is about to commit. */
  nudge(): void;
  /** Delivers what is due now and resolves when nothing more is in hand. For tests and commands. */
  deliverDue(): Promise<void>;
  /** Takes nothing new and resolves when what is in hand has ended, at most ten seconds later. */
  stop(): Promise<void>;
  /** How much waits and how much was given up, for the metrics. */
  backlog(): Promise<readonly Backlog[]>;
}

/** What one attempt may take. */
const DEADLINE_MS = 10_000;
/** Longer than an attempt and its settling: a worker that dies leaves its messages to the others after this. */
const LEASE_SECONDS = 30;
const POLL_MS = 1000;
/** Most commits follow their `add` sooner; the poll finds the others. */
const NUDGE_MS = 50;

export interface OutboxWorkerOptions {
  readonly db: Database;
  readonly box: SealedBox;
  /** By kind. Kinds without a handler are left to processes that have one: N and N-1 run together. */
  readonly handlers: Readonly<Record<string, OutboxHandler>>;
  readonly clock: Clock;
  readonly log: Log;
  /** How many messages are in hand at once. */
  readonly concurrency?: number;
  readonly onOutcome?: (kind: string, outcome: OutboxOutcome) => void;
  readonly waits?: Waits;
  readonly deadlineMs?: number;
}

/** Errors quote addresses and payloads in their messages: only their kind is told. */
const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};

const placeOf = (error: unknown): string | undefined =>
  error instanceof Error ? /^ +at .*$/m.exec(error.stack ?? '')?.[0].trim() : undefined;

/**
 * Delivers the outbox at least once (R-68, ADR 0008). Any number of processes may run one: a message is claimed
 * by one statement that skips what others hold, under a lease.
 */
export function createOutboxWorker(options: OutboxWorkerOptions): OutboxWorker {
  const { db, box, clock, log, concurrency = 5, deadlineMs = DEADLINE_MS, waits = WHILE_SOMEBODY_WAITS } = options;
  const handlers: ReadonlyMap<string, OutboxHandler> = new Map([
    [NOTHING, () => Promise.resolve({ kind: 'delivered' })],
    ...Object.entries(options.handlers),
  ]);
  const kinds = [...handlers.keys()];
  const store = outboxStore(db);
  const inHand = new Set<Promise<void>>();
  const lanes = createLanes();
  let looking: Promise<void> | undefined;
  let lookAsked = false;
  let stopped = false;
  let poll: NodeJS.Timeout | undefined;
  let nudged: NodeJS.Timeout | undefined;

  const attempt = async (row: ClaimedRow, handler: OutboxHandler): Promise<Delivery> => {
    const leftMs = row.expiresAt === undefined ? deadlineMs : row.expiresAt.getTime() - clock.now().getTime();
    const deadline = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<Delivery>((resolve) => {
      timer = setTimeout(
        () => {
          deadline.abort();
          resolve({ kind: 'retry', reason: 'deadline' });
        },
        Math.min(deadlineMs, leftMs),
      );
    });
    try {
      const payload: unknown = JSON.parse(box.open(row.payload, sealContext(row.id)).toString());
      const { id, createdAt, accountId } = row;
      return await Promise.race([handler({ id, createdAt, payload, accountId }, deadline.signal), tooLate]);
    } catch (error) {
      log.error('outbox handler failed', {
        message_id: row.id,
        kind: row.kind,
        reason: nameOf(error),
        at: placeOf(error),
      });
      // A payload that does not open may be sealed with a key that only newer processes have: not final either.
      return { kind: 'retry', reason: nameOf(error) };
    } finally {
      clearTimeout(timer);
    }
  };

  /** Whoever takes a message that had failed takes the others, too. */
  const callOthers = async ({ kind, lane, attempt: attempts }: ClaimedRow): Promise<void> => {
    const now = clock.now();
    if (lane === undefined || attempts === 1 || !lanes.mayCall(lane, now)) return;
    await store.hasten({ kind, lane, now, leaseUntil: secondsAfter(now, LEASE_SECONDS) });
  };

  const settle = async (row: ClaimedRow, delivery: Delivery): Promise<OutboxOutcome> => {
    const about = { message_id: row.id, kind: row.kind, attempt: row.attempt };
    if (row.lane !== undefined) {
      if (delivery.kind === 'retry') lanes.failed(row.lane, clock.now());
      else lanes.answered(row.lane);
    }
    if (delivery.kind === 'delivered') {
      await store.remove(row.id);
      log.debug('outbox message delivered', about);
      await callOthers(row);
      return 'delivered';
    }
    const now = clock.now();
    const { reason } = delivery;
    if (delivery.kind === 'retry' && now < secondsAfter(row.createdAt, GIVE_UP_AFTER_SECONDS)) {
      const until = retryAt({ now, attempt: row.attempt, fraction: randomBelow(1000) / 1000, waits });
      await store.postpone(row, { until, reason });
      log.warn('outbox message not delivered yet', { ...about, reason });
      return 'retry';
    }
    await store.bury(row, { now, reason });
    log.error('outbox message given up', { ...about, reason });
    return delivery.kind === 'retry' ? 'gave_up' : 'refused';
  };

  const handle = async (row: ClaimedRow): Promise<void> => {
    const handler = handlers.get(row.kind);
    if (handler === undefined) return;
    let outcome: OutboxOutcome;
    if (row.expiresAt !== undefined && row.expiresAt <= clock.now()) {
      // A code that comes after its expiry only confuses (F-11).
      await store.remove(row.id);
      outcome = 'expired';
    } else {
      outcome = await settle(row, await attempt(row, handler));
    }
    options.onOutcome?.(row.kind, outcome);
  };

  const take = (row: ClaimedRow): void => {
    const work = handle(row)
      .catch((error: unknown) => {
        // Not settled: the lease ends and it is delivered once more.
        log.warn('outbox message not settled', { message_id: row.id, kind: row.kind, reason: nameOf(error) });
      })
      .finally(() => {
        inHand.delete(work);
        look();
      });
    inHand.add(work);
  };

  const askedToLook = (): boolean => {
    const asked = lookAsked;
    lookAsked = false;
    return asked;
  };

  const claimAll = async (): Promise<void> => {
    while (askedToLook()) {
      while (!stopped && inHand.size < concurrency) {
        const now = clock.now();
        const leaseUntil = secondsAfter(now, LEASE_SECONDS);
        const limit = concurrency - inHand.size;
        const rows = await store.claim({ now, leaseUntil, kinds, exceptLanes: lanes.paused(now), limit });
        if (rows.length === 0) break;
        rows.forEach(take);
      }
    }
  };

  function look(): void {
    if (stopped) return;
    lookAsked = true;
    looking ??= claimAll()
      .catch((error: unknown) => {
        log.warn('the outbox cannot be read', { reason: nameOf(error) });
      })
      .finally(() => {
        looking = undefined;
        // Asked for between the last claim and here.
        if (lookAsked) look();
      });
  }

  const idle = async (): Promise<void> => {
    while (looking !== undefined || inHand.size > 0) await Promise.all([looking, ...inHand]);
  };

  return {
    start() {
      poll ??= setInterval(look, POLL_MS);
      look();
    },
    nudge() {
      if (stopped || nudged !== undefined) return;
      nudged = setTimeout(() => {
        nudged = undefined;
        look();
      }, NUDGE_MS);
    },
    deliverDue() {
      look();
      return idle();
    },
    stop() {
      stopped = true;
      clearInterval(poll);
      clearTimeout(nudged);
      return idle();
    },
    backlog: () => store.backlog(),
  };
}
