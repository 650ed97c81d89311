import { maskEmail } from '../../accounts/email.js';
import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import { withBulkSession } from '../../storage/copy.js';
import {
  countByAgency,
  countByKind,
  countPeople,
  countSessions,
  listSessions,
  markBreach,
  readPeople,
  sessionExists,
  type AgencyCount,
  type BreachCause,
  type BreachSession,
  type BreachWindow,
  type KindCount,
  type SessionCounts,
} from './breach-store.js';
import { classesOf, type DataClass } from './data-classes.js';

export type { BreachCause, BreachWindow } from './breach-store.js';

/** So many sessions are listed; all are counted. */
const MAX_SESSIONS = 10_000;

/** Somebody concerned. */
export interface BreachPerson {
  readonly accountId: string;
  /** Its last three digits, unless all were asked for. */
  readonly nip: string;
  readonly name: string;
  /** Masked; undefined where none is on file: they must be told another way. */
  readonly email: string | undefined;
  readonly agencyCode: string;
  readonly agencyName: string;
  readonly classes: readonly DataClass[];
  readonly events: number;
  readonly first: string;
  readonly last: string;
}

export interface BreachFacts {
  readonly window: BreachWindow;
  readonly madeAt: Date;
  readonly people: number;
  readonly agencies: readonly AgencyCount[];
  readonly kinds: readonly KindCount[];
  readonly classes: readonly DataClass[];
  readonly sessions: SessionCounts;
}

export interface BreachReport {
  readonly facts: BreachFacts;
  readonly sessions: readonly BreachSession[];
  /** Everybody, read while they are taken. */
  readonly people: AsyncIterable<BreachPerson>;
}

export interface BreachParts {
  readonly databaseUrl: string;
  readonly audit: Audit;
  readonly clock: Clock;
}

interface BreachOrder {
  readonly cause: BreachCause;
  readonly window: BreachWindow;
  /** Whole NIPs, for those who must write letters. */
  readonly fullNip: boolean;
}

/** Who was concerned by an intrusion, and by what of theirs (R-44, UU PDP Ps. 46). */
export interface BreachReports {
  /** False where the session is not there: it was never, or was forgotten since. */
  knows(cause: BreachCause): Promise<boolean>;
  /**
   * Finds everybody in one picture of the database, hands the report to `write`, and leaves `breach.reported` in the
   * trail when that has ended well.
   */
  make(order: BreachOrder, write: (report: BreachReport) => Promise<void>): Promise<BreachFacts>;
}

const text = (bytes: Buffer | undefined): string => bytes?.toString() ?? '';

async function* peopleOf(
  rows: AsyncIterable<readonly (Buffer | undefined)[]>,
  fullNip: boolean,
): AsyncGenerator<BreachPerson> {
  for await (const [id, nip, name, email, code, agency, kinds, events, first, last] of rows) {
    yield {
      accountId: text(id),
      nip: fullNip ? text(nip) : `***${text(nip).slice(-3)}`,
      name: text(name),
      email: email === undefined ? undefined : maskEmail(text(email)),
      agencyCode: text(code),
      agencyName: text(agency),
      classes: classesOf(text(kinds).split(' ')),
      events: Number(text(events)),
      first: text(first),
      last: text(last),
    };
  }
}

export function createBreachReports({ databaseUrl, audit, clock }: BreachParts): BreachReports {
  return {
    knows: (cause) =>
      cause.kind === 'session'
        ? withBulkSession(databaseUrl, (session) => sessionExists(session, cause.uid))
        : Promise.resolve(true),

    make: ({ cause, window, fullNip }, write) =>
      withBulkSession(databaseUrl, (session) =>
        session.transaction(async (tx) => {
          const madeAt = clock.now();
          await markBreach(tx, cause, window);
          const kinds = await countByKind(tx);
          const facts: BreachFacts = {
            window,
            madeAt,
            people: await countPeople(tx),
            agencies: await countByAgency(tx),
            kinds,
            classes: classesOf(kinds.map(({ type }) => type)),
            sessions: await countSessions(tx, cause, madeAt),
          };
          const sessions = await listSessions(tx, cause, { now: madeAt, limit: MAX_SESSIONS });
          await write({ facts, sessions, people: peopleOf(readPeople(session), fullNip) });
          await audit.record(tx, {
            type: 'breach.reported',
            accountId: cause.kind === 'account' ? cause.accountId : undefined,
            clientId: cause.kind === 'client' ? cause.clientId : undefined,
            detail: {
              from: window.from.toISOString(),
              to: window.to.toISOString(),
              cause: cause.kind,
              people: facts.people,
              full_nip: fullNip,
            },
          });
          return facts;
        }),
      ),
  };
}
