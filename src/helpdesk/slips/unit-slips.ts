import { randomUUID } from 'node:crypto';
import { SLIP_SECONDS, type ActivationSlips } from '../../accounts/activation-slips.js';
import type { Audit } from '../../audit/audit.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Database, Queryable } from '../../storage/database.js';
import type { Quota } from '../../throttle/policies.js';
import { spendQuotas } from '../../throttle/quotas.js';
import type { Trace } from '../../throttle/visitor.js';
import { spendLook } from '../desk/quotas.js';
import { idOf } from '../judgement.js';
import type { Alarms } from '../acts/alarms.js';
import type { Refusals } from '../refusals.js';
import type { PrintedSlip, SlipSheet } from './slip-sheet.js';
import * as store from './slip-store.js';

/** As many as an office hands out in a morning, and what one statement holds. */
const BATCH = 500;
/** Batches of one officer: 5,000 slips an hour. */
const BATCHES: Quota = { scope: 'slip-batches', limit: 10, windowSeconds: 3600 };
const WEEKS = 8;
const TOP_UNITS = 200;
const PAGE = 50;
/** Beyond that it does not matter how many more there are. */
const COUNTED = 10_000;

/** An administrator at the console. What they reach is asked by every statement. */
export interface SlipOfficer {
  readonly id: AccountId;
  /** The agency in whose name they act; a national operator has none. */
  readonly office: string | undefined;
  /** Where they act. */
  readonly clientId: string;
  readonly trace: Trace;
}

export interface ActivationProgress {
  readonly unit: store.Unit;
  /** The unit's own people first, then each unit below it; none where nobody works. */
  readonly units: readonly store.UnitProgress[];
  readonly weeks: readonly store.WeekCount[];
}

/** Where the next page of people begins. */
export interface WaitingCursor {
  readonly name: string;
  readonly id: string;
}

export type WaitingAnswer =
  | ({ readonly kind: 'listed' } & WaitingPage)
  | { readonly kind: 'not_found' }
  | { readonly kind: 'throttled'; readonly until: Date };

interface WaitingPage {
  readonly unit: store.Unit;
  readonly people: readonly store.WaitingPerson[];
  readonly next: WaitingCursor | undefined;
}

export type BatchAnswer =
  | { readonly kind: 'issued'; readonly batch: string; readonly count: number }
  /** Everybody has a slip, or a password, or needs two officers. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'throttled'; readonly until: Date };

export interface PrintedBatch {
  readonly pdf: Buffer;
  readonly count: number;
}

/** Slips for the people of a unit who never activated, and how far it has come (ADR 0023). */
export interface UnitSlips {
  /** Where an officer begins to look; undefined for who sees none, which is recorded. */
  topUnits(officer: SlipOfficer): Promise<readonly store.Unit[] | undefined>;
  /** Undefined for a unit that is unknown or not the officer's, which is recorded. */
  progress(officer: SlipOfficer, unit: string): Promise<ActivationProgress | undefined>;
  /** Who waits, by name. Each page is on record, and takes a place of the officer's quota (A46). */
  waiting(officer: SlipOfficer, unit: string, after?: WaitingCursor): Promise<WaitingAnswer>;
  /** How many would get a slip, 10,001 standing for more, and how many at once; undefined as in {@link progress}. */
  missing(
    officer: SlipOfficer,
    unit: string,
  ): Promise<{ readonly unit: store.Unit; readonly people: number; readonly atOnce: number } | undefined>;
  /** Makes slips for at most 500 people who have none: each an act of its own, all for one reason. */
  issue(officer: SlipOfficer, unit: string, reason: string): Promise<BatchAnswer>;
  /** How many slips of a batch can still be used; undefined when there are none, which is recorded. */
  countOf(officer: SlipOfficer, batch: string): Promise<number | undefined>;
  /** The slips of a batch that can still be used, to print; undefined when there are none, which is recorded. */
  printBatch(officer: SlipOfficer, batch: string): Promise<PrintedBatch | undefined>;
  /** Whose a slip is that this officer may print alone; undefined as in {@link printBatch}. */
  findOne(officer: SlipOfficer, slip: string): Promise<{ readonly name: string } | undefined>;
  /** One slip, to print. */
  printOne(officer: SlipOfficer, slip: string): Promise<PrintedBatch | undefined>;
}

export interface UnitSlipParts {
  readonly db: Database;
  readonly slips: Pick<ActivationSlips, 'codeOf'>;
  readonly sheet: SlipSheet;
  readonly refusals: Refusals;
  readonly audit: Audit;
  readonly alarms: Alarms;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

export function createUnitSlips(parts: UnitSlipParts): UnitSlips {
  const { db, slips, sheet, refusals, audit, alarms, keyed, clock } = parts;

  const asking = ({ id }: SlipOfficer): store.Asking => ({ officer: id, now: clock.now() });

  const refuse = (on: Queryable, { id, trace }: SlipOfficer, action: string, cause: string): Promise<void> =>
    refusals.record(on, { action, cause, actorId: id, trace });

  async function seen(on: Queryable, officer: SlipOfficer, unit: string, action: string) {
    const found = await store.selectUnit(on, asking(officer), unit);
    if (found === undefined) await refuse(on, officer, action, 'out_of_scope');
    return found;
  }

  const printed = ({ id, name, nip, agency, expiresAt }: store.PrintableSlip): PrintedSlip => ({
    name,
    nipEnding: nip.slice(-3),
    agency: agency.name,
    code: slips.codeOf(id),
    expiresAt,
  });

  async function print(
    officer: SlipOfficer,
    found: readonly store.PrintableSlip[],
    batch?: string,
  ): Promise<PrintedBatch | undefined> {
    if (found.length === 0) {
      await refuse(db, officer, 'activation_slips.print', 'nothing');
      return undefined;
    }
    // Who has the paper can use it: each slip says who printed it, and when.
    await audit.record(
      db,
      ...found.map(({ id, accountId, agency }) => ({
        type: 'slip.printed' as const,
        detail: { slip: id, batch },
        accountId,
        actorId: officer.id,
        agencyCode: agency.code,
        ...officer.trace,
      })),
    );
    const about = { sender: officer.office, now: clock.now() };
    return { pdf: await sheet.print(found.map(printed), about), count: found.length };
  }

  const ofBatch = async (officer: SlipOfficer, named: string): Promise<readonly store.PrintableSlip[]> => {
    const batch = idOf(named);
    return batch === undefined ? [] : store.selectBatch(db, asking(officer), batch);
  };

  const named = async (officer: SlipOfficer, slip: string): Promise<store.PrintableSlip | undefined> => {
    const id = idOf(slip);
    return id === undefined ? undefined : store.selectOne(db, asking(officer), id);
  };

  return {
    async topUnits(officer) {
      const units = await store.selectTopUnits(db, asking(officer), TOP_UNITS);
      if (units.length > 0) return units;
      await refuse(db, officer, 'activation_slips.progress', 'role');
      return undefined;
    },

    async progress(officer, code) {
      const unit = await seen(db, officer, code, 'activation_slips.progress');
      if (unit === undefined) return undefined;
      return {
        unit,
        units: await store.selectProgress(db, asking(officer), unit.code),
        weeks: await store.selectWeeks(db, asking(officer), { unit: unit.code, weeks: WEEKS }),
      };
    },

    waiting: (officer, code, after) =>
      db.transaction<WaitingAnswer>(async (tx) => {
        const action = 'activation_slips.waiting';
        const unit = await seen(tx, officer, code, action);
        if (unit === undefined) return { kind: 'not_found' };
        const looking = asking(officer);
        const spending = await spendLook(tx, { ...looking, what: 'list', keyed });
        if (spending.kind === 'exhausted') {
          await refuse(tx, officer, action, 'throttled');
          return { kind: 'throttled', until: spending.until };
        }
        // A cursor is an address that people may have written themselves.
        const from = after && idOf(after.id) !== undefined ? after : undefined;
        const page = { unit: unit.code, after: from, limit: PAGE + 1 };
        const found = await store.selectWaiting(tx, looking, page);
        const people = found.slice(0, PAGE);
        await audit.record(tx, {
          type: 'desk.listed',
          detail: { list: 'not_activated', count: people.length },
          actorId: officer.id,
          agencyCode: unit.code,
          ...officer.trace,
        });
        const last = found.length > PAGE ? people.at(-1) : undefined;
        return { kind: 'listed', unit, people, next: last && { name: last.name, id: last.id } };
      }),

    async missing(officer, code) {
      const unit = await seen(db, officer, code, 'activation_slips.issue');
      if (unit === undefined) return undefined;
      const people = await store.countWithoutSlip(db, asking(officer), { unit: unit.code, limit: COUNTED + 1 });
      return { unit, people, atOnce: Math.min(people, BATCH) };
    },

    issue: (officer, code, reason) =>
      db.transaction<BatchAnswer>(async (tx) => {
        const unit = await seen(tx, officer, code, 'activation_slips.issue');
        if (unit === undefined) return { kind: 'not_found' };
        const now = clock.now();
        const places = [{ quota: BATCHES, key: keyed('slip batches', officer.id) }];
        const spending = await spendQuotas(tx, { places, now });
        const seenAs = { officerId: officer.id, action: 'activation_slip', trace: officer.trace } as const;
        if (spending.kind === 'exhausted') {
          await alarms.quotaUsedUp(tx, { ...seenAs, agencyCode: unit.code });
          await refuse(tx, officer, 'activation_slips.issue', 'throttled');
          return { kind: 'throttled', until: spending.until };
        }
        const batch = randomUUID();
        const expiresAt = secondsAfter(now, SLIP_SECONDS);
        const wanted = { id: batch, unit: unit.code, limit: BATCH, expiresAt, clientId: officer.clientId, reason };
        const issued = await store.insertBatch(tx, { officer: officer.id, now }, wanted);
        const [first] = issued;
        if (first === undefined) return { kind: 'nobody' };
        await audit.record(
          tx,
          ...issued.map(({ id, act, accountId, agency }) => ({
            type: 'slip.issued' as const,
            detail: { slip: id, batch, act },
            accountId,
            actorId: officer.id,
            agencyCode: agency,
            ...officer.trace,
          })),
        );
        await alarms.afterAct(tx, { ...seenAs, agencyCode: first.agency, actId: first.act });
        return { kind: 'issued', batch, count: issued.length };
      }),

    async countOf(officer, batch) {
      const found = await ofBatch(officer, batch);
      if (found.length === 0) await refuse(db, officer, 'activation_slips.print', 'nothing');
      return found.length === 0 ? undefined : found.length;
    },

    printBatch: async (officer, batch) => print(officer, await ofBatch(officer, batch), idOf(batch)),

    async findOne(officer, slip) {
      const found = await named(officer, slip);
      if (found === undefined) await refuse(db, officer, 'activation_slips.print', 'nothing');
      return found && { name: found.name };
    },

    async printOne(officer, slip) {
      const found = await named(officer, slip);
      return print(officer, found === undefined ? [] : [found]);
    },
  };
}
