import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { SealedBox } from '../../security/sealed-box.js';
import type { Database } from '../../storage/database.js';
import { idOf } from '../judgement.js';
import type { ActTrace, Caller } from './act.js';
import { selectDecided, type DecidedAct } from './decided-store.js';
import { openParticulars, type Particulars } from './particulars.js';
import { countToDecide, selectOneWaiting, selectWaiting, type WaitingAct } from './waiting-store.js';

const MAX_SHOWN = 100;

/** An act that waits for a second officer, with what it would do. */
export type Awaited = Omit<WaitingAct, 'particulars'> & { readonly particulars: Particulars };

/** What waits for a second officer, and what became of it, as officers read it: each within their own scope. */
export interface AwaitedActs {
  /** The oldest first. */
  waiting(officer: AccountId): Promise<readonly Awaited[]>;
  /** The same for somebody who reads the list: a look, which is written down (A46). */
  list(call: { readonly caller: Caller; readonly trace: ActTrace }): Promise<readonly Awaited[]>;
  findWaiting(officer: AccountId, actId: string): Promise<Awaited | undefined>;
  /** How many of them are this officer's to decide. */
  countToDecide(officer: AccountId): Promise<number>;
  /** What became of one that waited. */
  findDecided(officer: AccountId, actId: string): Promise<DecidedAct | undefined>;
}

export function createAwaitedActs(parts: { db: Database; audit: Audit; box: SealedBox; clock: Clock }): AwaitedActs {
  const { db, audit, box, clock } = parts;

  const opened = ({ particulars, ...act }: WaitingAct): Awaited => ({
    ...act,
    particulars: openParticulars(box, { id: act.id, particulars }),
  });
  const waiting = async (officer: AccountId): Promise<readonly Awaited[]> =>
    (await selectWaiting(db, { officer, now: clock.now(), limit: MAX_SHOWN })).map(opened);

  return {
    waiting,
    async list({ caller, trace }) {
      const listed = await waiting(caller.accountId);
      const about = { actorId: caller.accountId, clientId: caller.clientId, ...trace };
      await audit.record(db, { type: 'desk.listed', detail: { list: 'orders', count: listed.length }, ...about });
      return listed;
    },
    async findWaiting(officer, actId) {
      const id = idOf(actId);
      const act = id === undefined ? undefined : await selectOneWaiting(db, { officer, now: clock.now(), id });
      return act && opened(act);
    },
    countToDecide: (officer) => countToDecide(db, { officer, now: clock.now() }),
    async findDecided(officer, actId) {
      const id = idOf(actId);
      return id === undefined ? undefined : selectDecided(db, { officer, now: clock.now(), id });
    },
  };
}
