import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Database } from '../storage/database.js';
import { writeErrors, writeUses, type ErrorRow, type UseRow } from './client-use-store.js';

/** The names of the claims in a token, by kind of token; never a value. */
export type Carried = Readonly<Partial<Record<'id_token' | 'access_token', readonly string[]>>>;

/** Something that the provider refused a client. */
export interface ClientRefusal {
  readonly clientId: string;
  readonly endpoint: string;
  /** Of OAuth, as the client was told it. */
  readonly error: string;
  /** Why, in the provider's own words. */
  readonly detail: string | undefined;
  readonly requestId: string | undefined;
}

/**
 * When a client was last used, and what it was refused (ADR 0031). Nothing of it is in a request's way: it is
 * remembered, and written for many at once. What a process has not written yet when it is killed is lost.
 */
export interface ClientUse {
  /** `carried` is only called when it will be written. */
  used(clientId: string, carried?: () => Carried): void;
  /** The same thing again is counted, so that nobody fills the disk with it. */
  failed(refusal: ClientRefusal): void;
  /** Writes what waits, now. */
  flush(): Promise<void>;
  start(): void;
  /** Writes what waits, and resolves when nothing more is in hand. */
  stop(): Promise<void>;
}

const EVERY_MS = 2_000;
/** A use is written so often by each process, for each client. */
const USE_MS = 60_000;
/** After errors of a client were written, its next ones wait so long: whatever is sent, it is a few rows a minute. */
const ERRORS_MS = 10_000;
/** Different errors of one client that wait to be written; what goes beyond is not told. */
const MAX_WAITING = 20;
const MAX_REQUEST_IDS = 20;
const MAX_DETAIL = 300;

/** Answers to `prompt=none` and to a device that waits or asks too often: no fault that its developers could mend. */
const EXPECTED: ReadonlySet<string> = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'authorization_pending',
  'slow_down',
]);

/** What a person decided, in our words and the provider's: the application did nothing wrong. */
const OF_THE_PERSON: ReadonlySet<string> = new Set([
  'the person went back',
  'the person refused the device',
  'End-User aborted interaction',
]);

const isExpected = (error: string, detail: string): boolean =>
  EXPECTED.has(error) || (error === 'access_denied' && OF_THE_PERSON.has(detail));

const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cs}\s]+/gu, ' ').slice(0, MAX_DETAIL);

interface Waiting {
  readonly errors: Map<string, ErrorRow>;
  writtenAt: number;
}

export function createClientUse(parts: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Only clients of the table are remembered, and there are only so many of them. */
  readonly isKnown: (clientId: string) => boolean;
}): ClientUse {
  const { db, clock, log, isKnown } = parts;
  const usedAt = new Map<string, number>();
  let uses = new Map<string, UseRow>();
  const waiting = new Map<string, Waiting>();
  let timer: NodeJS.Timeout | undefined;
  let inHand: Promise<void> | undefined;

  const write = async (all: boolean): Promise<void> => {
    const now = clock.now().getTime();
    const dueUses = [...uses.values()];
    uses = new Map();
    if (dueUses.length > 0) await writeUses(db, dueUses);
    const due: ErrorRow[] = [];
    for (const [clientId, client] of waiting) {
      if (client.errors.size === 0) {
        if (now - client.writtenAt >= ERRORS_MS) waiting.delete(clientId);
      } else if (all || now - client.writtenAt >= ERRORS_MS) {
        due.push(...client.errors.values());
        client.errors.clear();
        client.writtenAt = now;
      }
    }
    if (due.length > 0) await writeErrors(db, due);
  };

  const flushed = async (all: boolean): Promise<void> => {
    await inHand;
    inHand = write(all)
      .catch((error: unknown) => {
        // Told once and not kept: an error that was lost here comes again, and a use does, too.
        log.warn('the use of clients cannot be written', { reason: error instanceof Error ? error.name : 'unknown' });
      })
      .finally(() => {
        inHand = undefined;
      });
    await inHand;
  };

  return {
    used(clientId, carried) {
      const at = clock.now();
      if (!isKnown(clientId) || at.getTime() - (usedAt.get(clientId) ?? 0) < USE_MS) return;
      usedAt.set(clientId, at.getTime());
      uses.set(clientId, { clientId, at, carried: carried?.() });
    },

    failed({ clientId, endpoint, error, detail = '', requestId }) {
      if (!isKnown(clientId) || isExpected(error, detail)) return;
      const at = clock.now();
      const client = waiting.get(clientId) ?? { errors: new Map<string, ErrorRow>(), writtenAt: 0 };
      waiting.set(clientId, client);
      const is = { clientId, endpoint: plain(endpoint), error: plain(error), detail: plain(detail) };
      const key = JSON.stringify(Object.values(is));
      const before = client.errors.get(key);
      if (before === undefined && client.errors.size >= MAX_WAITING) return;
      const requestIds = [...(requestId === undefined ? [] : [requestId]), ...(before?.requestIds ?? [])];
      client.errors.set(key, {
        ...is,
        firstAt: before?.firstAt ?? at,
        lastAt: at,
        times: (before?.times ?? 0) + 1,
        requestIds: requestIds.slice(0, MAX_REQUEST_IDS),
      });
    },

    flush: () => flushed(true),
    start() {
      timer ??= setInterval(() => void (inHand ?? flushed(false)), EVERY_MS);
    },
    async stop() {
      clearInterval(timer);
      await flushed(true);
    },
  };
}
