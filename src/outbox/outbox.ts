import { randomUUID } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import type { SealedBox } from '../security/sealed-box.js';
import { sealedColumn } from '../security/sealed-place.js';
import type { Queryable } from '../storage/database.js';
import type { Expiry } from '../storage/expiry.js';
import { outboxStore, type Unsent } from './outbox-store.js';

/**
 * A message of this kind is thrown away by the worker. Decoys use it: a request for a name that does not exist
 * does the work of a real one and writes the same row.
 */
export const NOTHING = 'nothing';

export interface NewMessage {
  /** Names the handler that delivers it. */
  readonly kind: string;
  /** JSON; sealed at rest. */
  readonly payload: unknown;
  /** While a message with this key waits, another one is not added. */
  readonly dedupKey?: string | undefined;
  /** From then on it is thrown away instead of delivered. */
  readonly expiresAt?: Date | undefined;
  /** Kept back until then, and counted as added then: what waits on purpose is not late. */
  readonly notBefore?: Date | undefined;
  /** Whose mailbox it goes to, for who looks what became of it. */
  readonly accountId?: string | undefined;
  /** Where it goes: when one of a lane arrives, others that could not before are tried at once. No personal data. */
  readonly lane?: string | undefined;
}

/** Messages to the outside that leave if, and only if, the caller's transaction commits (R-68, ADR 0008). */
export interface Outbox {
  /** Adds messages with one statement in the caller's transaction; without a message, with none. */
  add(tx: Queryable, ...messages: readonly NewMessage[]): Promise<void>;
}

export interface OutboxOptions {
  readonly box: SealedBox;
  readonly clock: Clock;
  /** Called after each `add`, before the caller's commit: the worker of this process looks soon. */
  readonly onAdded?: () => void;
}

export function createOutbox({ box, clock, onAdded }: OutboxOptions): Outbox {
  return {
    async add(tx, ...messages) {
      if (messages.length === 0) return;
      const now = clock.now();
      const rows = messages.map(({ kind, payload, dedupKey, notBefore, expiresAt, accountId, lane }) => {
        const id = randomUUID();
        const sealed = box.seal(JSON.stringify(payload), sealContext(id));
        return { id, kind, payload: sealed, dedupKey, expiresAt, accountId, lane, createdAt: notBefore ?? now };
      });
      await outboxStore(tx).insert(rows);
      if (messages.some(({ notBefore }) => notBefore === undefined)) onAdded?.();
    },
  };
}

/** The latest message of a kind to somebody that has not left: it waits, or was given up. */
export const latestUnsent = (db: Queryable, to: { kind: string; accountId: string }): Promise<Unsent | undefined> =>
  outboxStore(db).latestUnsent(to);

export const SEALED_MESSAGE = sealedColumn('outbox', 'payload');
/** Ties a sealed payload to its row. */
export const sealContext = (id: string): string => SEALED_MESSAGE.context(id);

/** Dead rows are kept a month for the person on call; what nobody can deliver any more goes after a day. */
export const OUTBOX_EXPIRY: Expiry = {
  table: 'outbox',
  where: `dead_at < $1::timestamptz - interval '30 days' OR expires_at < $1::timestamptz - interval '1 day'`,
};
