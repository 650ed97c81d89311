import type { ActAnswer } from '#src/helpdesk/acts/act.js';
import { RESET_QUOTAS } from '#src/helpdesk/acts/quotas.js';
import type { AccountId } from '#src/kernel/ids.js';
import type { Database, Queryable } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { addOfficer, addPerson, give, now, plantAgencies, take } from './people.js';
import { auditOf, epochOf, order, resetParts, waiting, type ResetParts } from './reset-parts.js';

let db: Database & TestDatabase;
let parts: ResetParts;
beforeAll(async () => {
  db = await openTestDatabase();
  parts = resetParts(db);
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.query('TRUNCATE audit_events, quotas, officer_acts');
  await plantAgencies(db);
});

const move = (tx: Queryable, person: AccountId, code: string) =>
  tx.query('UPDATE accounts SET agency_code = $2 WHERE id = $1', [person, code]);

/** Begins a transaction and a reset that must wait for it; commits once the reset waits and `meanwhile` has happened. */
async function whileResetWaits(
  [officer, person]: readonly [AccountId, AccountId],
  hold: (tx: Queryable) => Promise<unknown>,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<ActAnswer> {
  let reset: Promise<ActAnswer> | undefined;
  const code = await parts.present(person);
  await db.transaction(async (tx) => {
    await hold(tx);
    reset = parts.acts.perform(order(officer, person, code));
    await waiting(db);
    await meanwhile();
  });
  if (reset === undefined) throw new Error('the reset was not begun');
  return reset;
}

describe('what changes before the reset holds the account (R-10, TOCTOU)', () => {
  it.each([
    ['moved out of the agency', 'own', 'OTHER', 'not_found', 'out_of_scope'],
    ['moved into the agency', 'other', 'OWN', 'done', undefined],
    ['moved within it', 'own', 'OWN-1', 'done', undefined],
  ] as const)('is what counts: the person is %s', async (_, place, code, kind, cause) => {
    const [officer, person] = [await addOfficer(db), await addPerson(db, { place })];
    const answer = await whileResetWaits([officer, person], (tx) => move(tx, person, code));
    expect(answer.kind).toBe(kind);
    expect(await epochOf(db, person)).toBe(kind === 'done' ? 1 : 0);
    const rows = await auditOf(db, cause === undefined ? 'mfa_reset.done' : 'desk.refused');
    expect(rows).toEqual([expect.objectContaining({ account_id: person, agency_code: code })]);
    if (cause !== undefined) expect(rows[0]?.detail).toEqual({ action: 'mfa_reset', cause });
  });

  it('is what counts: the person gets a role', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    const answer = await whileResetWaits([officer, person], (tx) =>
      tx.query(
        `INSERT INTO role_grants (account_id, role, agency_code, granted_at) VALUES ($1, 'helpdesk', 'OWN', $2)`,
        [person, now],
      ),
    );
    expect(answer).toMatchObject({ kind: 'awaiting_approval' });
    expect(await epochOf(db, person)).toBe(0);
  });
});

/** Stops a reset of this officer between its judgement and its deed, where it takes its place in the quotas. */
const holdQuotas = (tx: Queryable) =>
  tx.query('SELECT FROM quotas WHERE scope = ANY ($1) FOR UPDATE', [
    Object.values(RESET_QUOTAS).map(({ scope }) => scope),
  ]);

describe('what changes between judgement and deed', () => {
  it.each<[string, (officer: AccountId) => Promise<unknown>]>([
    ['the role ends', (officer) => take(db, officer, 'helpdesk')],
    [
      'the officer is frozen',
      (officer) => db.query('UPDATE accounts SET frozen_at = created_at WHERE id = $1', [officer]),
    ],
    ['the officer leaves', (officer) => db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [officer])],
    [
      "the person's agency leaves the officer's",
      () => db.query(`UPDATE agencies SET parent_code = 'OTHER', ancestors = '{OWN-1,OTHER}' WHERE code = 'OWN-1'`),
    ],
  ])('stops the deed: %s', async (_, change) => {
    const [officer, person] = [await addOfficer(db), await addPerson(db, { place: 'child' })];
    await parts.reset(officer, person);
    const answer = await whileResetWaits([officer, person], holdQuotas, () => change(officer));
    expect(answer).toEqual({ kind: 'not_found' });
    expect(await epochOf(db, person)).toBe(1);
    expect(await auditOf(db, 'desk.refused')).toMatchObject([
      { account_id: person, detail: { action: 'mfa_reset', cause: 'out_of_scope' } },
    ]);
    expect(await auditOf(db, 'mfa_reset.done')).toHaveLength(1);
  });

  it.each<[string, (person: AccountId) => Promise<unknown>]>([
    ['a move', (person) => move(db, person, 'OTHER')],
    ['a role', (person) => give(db, person, 'helpdesk')],
  ])('waits for the reset: %s', async (_, change) => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    await parts.reset(officer, person);
    let changed: Promise<unknown> | undefined;
    const answer = await whileResetWaits([officer, person], holdQuotas, () => {
      changed = change(person);
      return waiting(db, 2);
    });
    await changed;
    expect(answer).toMatchObject({ kind: 'done' });
    expect(await epochOf(db, person)).toBe(2);
    expect(await auditOf(db, 'mfa_reset.done')).toMatchObject([{ agency_code: 'OWN' }, { agency_code: 'OWN' }]);
  });
});

it('several officers at once, with one code: one reset, whole', async () => {
  const person = await addPerson(db);
  const code = await parts.present(person);
  const officers = await Promise.all(Array.from({ length: 8 }, () => addOfficer(db)));
  const answers = await Promise.all(officers.map((officer) => parts.acts.perform(order(officer, person, code))));
  expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(1);
  expect(answers.filter(({ kind }) => kind === 'presence_refused')).toHaveLength(7);
  expect(await epochOf(db, person)).toBe(1);
  expect(await auditOf(db, 'mfa_reset.done')).toHaveLength(1);
});
