import type { TrailFound } from '#src/helpdesk/trail/search.js';
import { NOBODY, type AccountId } from '#src/kernel/ids.js';
import { openTestDatabase } from '../../support/test-database.js';
import { addOfficer, addPerson, give, plantAgencies, PLACES, take, type Place } from '../people.js';
import { auditOf } from '../reset-parts.js';
import { move, trailHouse } from './house.js';

type TestDatabase = Awaited<ReturnType<typeof openTestDatabase>>;

/** whose trail an officer reads is decided in the statement that reads it. */
let db: TestDatabase;
let house: ReturnType<typeof trailHouse>;
const persons = {} as Record<Place, AccountId>;

beforeEach(async () => {
  db = await openTestDatabase();
  house = trailHouse(db);
  await house.audit.prepare(db);
  await plantAgencies(db);
  for (const place of Object.keys(PLACES) as Place[]) {
    persons[place] = await addPerson(db, { place });
    await house.audit.record(db, {
      type: 'sign_in.completed',
      detail: { acr: 'x', amr: [] },
      accountId: persons[place],
    });
  }
  await house.audit.record(db, { type: 'key.generated', detail: { kid: 'k', alg: 'ES256' } });
  house.later(60);
});
afterEach(() => db.drop());

const found = (answer: { kind: string }): TrailFound => {
  if (answer.kind !== 'found') throw new Error(answer.kind);
  return answer as TrailFound;
};
const whose = (answer: { kind: string }): string[] =>
  found(answer)
    .events.filter(({ type }) => type === 'sign_in.completed')
    .map(({ account }) => Object.entries(persons).find(([, id]) => id === account?.id)?.[0] ?? '?')
    .sort();

const WITHIN = ['child', 'grandchild', 'own'];
const EVERYBODY = Object.keys(PLACES).sort();

describe('the trail of everybody in reach', () => {
  it.each([
    ['agency_admin', WITHIN],
    ['operator', EVERYBODY],
    ['auditor', EVERYBODY],
  ] as const)('for %s', async (role, reach) => {
    const officer = await addOfficer(db, role);
    expect(whose(await house.as(officer))).toEqual(reach);
    expect(whose(await house.as(officer, { types: ['sign_in.completed'] }))).toEqual(reach);
    expect(whose(await house.as(officer, { types: ['key.generated'] }))).toEqual([]);
  });

  it('is nobody’s without a role, and helpdesk names a person first', async () => {
    expect(await house.as(await addPerson(db))).toEqual({ kind: 'forbidden' });
    expect(await house.as(await addOfficer(db, 'helpdesk'))).toEqual({ kind: 'forbidden' });
    expect((await auditOf(db, 'audit.refused')).map(({ detail }) => detail)).toEqual([
      { cause: 'forbidden' },
      { cause: 'forbidden' },
    ]);
  });

  it('holds what no account has for those who read everything only', async () => {
    const kinds = async (role: 'agency_admin' | 'auditor'): Promise<string[]> =>
      found(await house.as(await addOfficer(db, role))).events.map(({ type }) => type);
    expect(await kinds('auditor')).toContain('key.generated');
    expect(await kinds('agency_admin')).not.toContain('key.generated');
  });

  it.each(['revoked', 'frozen', 'inactive', 'resting'])('ends at once with rights that were %s', async (how) => {
    const officer = await addOfficer(db, 'agency_admin');
    await give(db, officer, 'auditor');
    expect(whose(await house.as(officer))).toEqual(EVERYBODY);
    if (how === 'revoked') {
      await take(db, officer, 'auditor');
      expect(whose(await house.as(officer))).toEqual(WITHIN);
      await take(db, officer, 'agency_admin');
    } else {
      const ends = {
        frozen: 'UPDATE accounts SET frozen_at = $2 WHERE id = $1',
        inactive: `UPDATE accounts SET status = 'inactive', updated_at = $2 WHERE id = $1`,
        // a day after their own factors were reset.
        resting: `INSERT INTO devices (account_id, kind, status, name, created_at, activated_at, ended_at, ended_reason)
                  VALUES ($1, 'passkey', 'ended', 'Ponsel', $2, $2, $2, 'self_reset')`,
      };
      await db.query(ends[how as keyof typeof ends], [officer, house.clock.at]);
    }
    expect(await house.as(officer)).toEqual({ kind: 'forbidden' });
  });

  it('stays with the agency it happened in when somebody moves', async () => {
    const officer = await addOfficer(db, 'agency_admin');
    await move(db, persons.child, 'other');
    expect(whose(await house.as(officer))).toEqual(WITHIN);
    await house.audit.record(db, {
      type: 'sign_in.completed',
      detail: { acr: 'x', amr: [] },
      accountId: persons.child,
    });
    house.later(1);
    expect(whose(await house.as(officer))).toEqual(WITHIN);
  });
});

describe('the trail of one person', () => {
  it.each(['helpdesk', 'agency_admin', 'operator', 'auditor'] as const)('for %s', async (role) => {
    const officer = await addOfficer(db, role);
    const everywhere = role === 'operator' || role === 'auditor';
    for (const [place, accountId] of Object.entries(persons)) {
      const answer = await house.as(officer, { accountId });
      const expected = everywhere || WITHIN.includes(place) ? 'found' : 'not_found';
      expect([place, answer.kind]).toEqual([place, expected]);
      if (answer.kind === 'found') expect(whose(answer)).toEqual([place]);
    }
  });

  it.each([NOBODY, 'no id', "'; DROP TABLE x", ''])('%j is as somebody out of reach', async (accountId) => {
    const officer = await addOfficer(db, 'agency_admin');
    const unknown = await house.as(officer, { accountId });
    expect(unknown).toEqual(await house.as(officer, { accountId: persons.sibling }));
    expect(unknown).toEqual({ kind: 'not_found' });
  });

  it('of somebody who moved away keeps what happened here, for the agency, not for helpdesk', async () => {
    await move(db, persons.own, 'other');
    await house.audit.record(db, { type: 'reset.started', detail: {}, accountId: persons.own });
    house.later(1);
    const { events } = found(await house.as(await addOfficer(db, 'agency_admin'), { accountId: persons.own }));
    expect(events.map(({ type }) => type)).toEqual(['sign_in.completed']);
    expect(await house.as(await addOfficer(db, 'helpdesk'), { accountId: persons.own })).toEqual({ kind: 'not_found' });
  });

  it('of somebody who came is all theirs', async () => {
    await move(db, persons.other, 'own');
    const officer = await addOfficer(db, 'helpdesk');
    expect(whose(await house.as(officer, { accountId: persons.other }))).toEqual(['other']);
  });

  it('but not the alarms that the reader has raised', async () => {
    const [reader, colleague] = [await addOfficer(db, 'agency_admin'), await addOfficer(db, 'agency_admin')];
    await house.audit.record(db, {
      type: 'alarm.raised',
      detail: { kind: 'burst' },
      actorId: reader,
      agencyCode: 'OWN',
    });
    house.later(1);
    const kinds = async (officer: AccountId): Promise<string[]> =>
      found(await house.as(officer, { actorId: reader })).events.map(({ type }) => type);
    expect(await kinds(reader)).toEqual([]);
    expect(await kinds(colleague)).toEqual(['alarm.raised']);
  });

  it('as the one who did it, within reach', async () => {
    const actor = await addOfficer(db, 'operator');
    for (const place of ['own', 'other'] as const) {
      await house.audit.record(db, {
        type: 'desk.refused',
        detail: { action: 'mfa_reset', cause: place },
        accountId: persons[place],
        actorId: actor,
      });
    }
    house.later(1);
    const causes = async (role: 'agency_admin' | 'auditor'): Promise<unknown[]> =>
      found(await house.as(await addOfficer(db, role), { actorId: actor })).events.map(({ detail }) => detail.cause);
    expect(await causes('agency_admin')).toEqual(['own']);
    expect(await causes('auditor')).toEqual(['other', 'own']);
    const both = found(await house.asEverybody({ actorId: actor, accountId: persons.other }));
    expect(both.events.map(({ detail }) => detail.cause)).toEqual(['other']);
    expect(both.events[0]?.account?.name).toMatch(/^Pegawai /);
  });
});

describe('pages', () => {
  beforeEach(async () => {
    // Many at the same moment: the id tells them apart.
    for (let index = 0; index < 25; index += 1) {
      await house.audit.record(db, {
        type: 'sign_in.otp_refused',
        detail: { cause: 'drift', drift_minutes: index },
        accountId: persons.own,
      });
      if (index % 10 === 0) house.later(1);
    }
    house.later(1);
  });

  it.each([{}, { types: ['sign_in.otp_refused'] }, { accountId: true }])(
    'hold every row once, newest first: %j',
    async (more) => {
      const officer = await addOfficer(db, 'agency_admin');
      const search = { ...more, accountId: 'accountId' in more ? persons.own : undefined, limit: 7 };
      const minutes: unknown[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const { events, next } = found(await house.as(officer, { ...search, cursor }));
        minutes.push(...events.flatMap(({ detail }) => detail.drift_minutes ?? []));
        cursor = next;
        pages += 1;
      } while (cursor !== undefined);
      expect(minutes).toEqual(Array.from({ length: 25 }, (_, index) => 24 - index));
      expect(pages).toBeGreaterThan(3);
      expect(await auditOf(db, 'audit.searched')).toHaveLength(1);
    },
  );

  it('are given to nobody else, for no other question, and not to whoever makes cursors up', async () => {
    const officer = await addOfficer(db, 'agency_admin');
    const { next: cursor } = found(await house.as(officer, { limit: 5 }));
    expect(cursor).toMatch(/^[\w-]+$/);
    const invalid = { kind: 'invalid', problem: 'cursor' };
    expect(await house.as(await addOfficer(db, 'auditor'), { limit: 5, cursor })).toEqual(invalid);
    expect(await house.as(officer, { limit: 5, cursor, accountId: persons.own })).toEqual(invalid);
    for (const wrong of ['', 'x', `${String(cursor)}A`, 'A'.repeat(5000)]) {
      expect(await house.as(officer, { limit: 5, cursor: wrong })).toEqual(invalid);
    }
  });

  it('end where rights end', async () => {
    const officer = await addOfficer(db, 'agency_admin');
    const { next: cursor } = found(await house.as(officer, { limit: 5 }));
    await take(db, officer, 'agency_admin');
    expect(await house.as(officer, { limit: 5, cursor })).toMatchObject({ events: [], next: undefined });
  });
});

it('a search leaves its own row: who, at whom, for what, and nothing personal', async () => {
  const officer = await addOfficer(db, 'agency_admin');
  const from = new Date('2026-11-01T00:00:00Z');
  const to = new Date('2026-11-21T00:00:00Z');
  const asked = { clientId: 'console', requestId: 'r-1' };
  await house.as(officer, { accountId: persons.child, actorId: officer, types: ['reset.started'], from, to, asked });
  expect(await auditOf(db, 'audit.searched')).toEqual([
    {
      account_id: persons.child,
      actor_id: officer,
      agency_code: 'OWN-1',
      client_id: 'console',
      request_id: 'r-1',
      detail: { from: from.toISOString(), to: to.toISOString(), by: officer, types: ['reset.started'] },
    },
  ]);
  await house.asEverybody();
  expect((await auditOf(db, 'audit.searched'))[1]).toMatchObject({ actor_id: null });
});

it('looks at thirty days unless told otherwise, at a year at most, and never backwards', async () => {
  const day = (days: number): Date => new Date(house.clock.at.getTime() - days * 24 * 3600 * 1000);
  await db.query(`INSERT INTO audit_events (at, type) VALUES ($1, 'old')`, [day(40)]);
  const kinds = async (range: object): Promise<string[]> =>
    found(await house.asEverybody(range)).events.map(({ type }) => type);
  expect(await kinds({})).not.toContain('old');
  expect(await kinds({ from: day(41) })).toContain('old');
  expect(await kinds({ to: day(35) })).toContain('old');
  // Also one that this version does not know, by its name.
  expect(await kinds({ from: day(300), types: ['old'] })).toEqual(['old']);
  expect(await house.asEverybody({ from: day(400) })).toEqual({ kind: 'invalid', problem: 'too_long' });
  expect(await house.asEverybody({ from: day(1), to: day(2) })).toEqual({ kind: 'invalid', problem: 'backwards' });
});

it('an officer has three hundred searches an hour', async () => {
  const officer = await addOfficer(db, 'agency_admin');
  for (let index = 0; index < 300; index += 1) expect((await house.as(officer, { limit: 1 })).kind).toBe('found');
  expect((await house.as(officer)).kind).toBe('throttled');
  expect((await house.as(await addOfficer(db, 'agency_admin'))).kind).toBe('found');
});
