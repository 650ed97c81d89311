import type { ActAction, ActAnswer, Order } from '#src/helpdesk/acts/act.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { addOfficer, addPerson, give, now, plantAgencies, take } from './people.js';
import { auditOf, epochOf, order, resetParts, waiting, type ResetParts } from './reset-parts.js';

let db: Database & TestDatabase;
let parts: ResetParts;
beforeAll(async () => {
  db = await openTestDatabase();
  await plantAgencies(db);
});
afterAll(() => db.drop());
beforeEach(async () => {
  parts = resetParts(db);
  await db.query('TRUNCATE audit_events, outbox, officer_acts, officer_alarms, quotas, idempotency_keys');
  await db.query('UPDATE agencies SET two_officers = false');
});

const trace = { requestId: 'request-1' };
const caller = (accountId: AccountId) => ({ accountId, clientId: 'console' });
const perform = (officer: AccountId, accountId: string, asked: Order): Promise<ActAnswer> =>
  parts.acts.perform({ caller: caller(officer), accountId, order: asked, trace });
const approve = (officer: AccountId, actId: string): Promise<ActAnswer> =>
  parts.acts.approve({ caller: caller(officer), actId, trace, covers: () => true });

const reason = 'Diminta di loket';
const plain = (action: Exclude<ActAction, 'mfa_reset' | 'contact_change' | 'role_grant' | 'role_revoke'>): Order => ({
  action,
  reason,
});
const byDocument: Order = { action: 'mfa_reset', reason, ticket: 'T-1', verification: { method: 'photo_id' } };

async function awaited(answer: Promise<ActAnswer>): Promise<string> {
  const given = await answer;
  if (given.kind !== 'awaiting_approval') throw new Error(`it does not wait: ${given.kind}`);
  return given.actId;
}

const accountOf = async (id: AccountId) =>
  (
    await db.query('SELECT status, frozen_at, disabled_at, status_imported, cred_epoch FROM accounts WHERE id = $1', [
      id,
    ])
  )[0];

/** With a factor of their own: nobody else becomes an officer. */
async function addEnrolled(): Promise<AccountId> {
  const id = await addPerson(db);
  await db.query(
    `INSERT INTO devices (id, account_id, kind, status, name, secret, created_at, activated_at)
     VALUES (gen_random_uuid(), $1, 'totp', 'active', 'Ponsel', 'v1.k1.sealed', $2, $2)`,
    [id, now],
  );
  return id;
}
/** As somebody is who was made an officer by another, so long ago. */
const appointedBy = (by: AccountId, id: AccountId, hours: number) =>
  db.query('UPDATE role_grants SET granted_by = $1, granted_at = $3 WHERE account_id = $2', [
    by,
    id,
    secondsAfter(now, -hours * 3600),
  ]);

describe('what each act does', () => {
  it('disable closes the account whatever the personnel system says; enable gives back what it says by then', async () => {
    const [admin, person] = [await addOfficer(db, 'agency_admin'), await addPerson(db)];
    expect(await perform(admin, person, plain('disable'))).toMatchObject({ kind: 'done', outcome: { told: true } });
    expect(await accountOf(person)).toMatchObject({
      status: 'inactive',
      status_imported: 'active',
      disabled_at: now,
      cred_epoch: 1,
    });
    expect(await perform(admin, person, plain('disable'))).toEqual({ kind: 'unfit', cause: 'disabled' });
    expect(await perform(admin, person, plain('enable'))).toMatchObject({
      kind: 'done',
      outcome: { status: 'active' },
    });
    expect(await accountOf(person)).toMatchObject({ status: 'active', status_imported: null, disabled_at: null });
    expect(await perform(admin, person, plain('enable'))).toEqual({ kind: 'unfit', cause: 'not_disabled' });

    await perform(admin, person, plain('disable'));
    await db.query(`UPDATE accounts SET status_imported = 'inactive' WHERE id = $1`, [person]);
    expect(await perform(admin, person, plain('enable'))).toMatchObject({ outcome: { status: 'inactive' } });
    expect(await accountOf(person)).toMatchObject({ status: 'inactive', disabled_at: null });
  });

  it('freeze takes one officer, lifting it two', async () => {
    const [officer, second, person] = [await addOfficer(db), await addOfficer(db), await addPerson(db)];
    expect(await perform(officer, person, plain('freeze'))).toMatchObject({ kind: 'done' });
    expect((await accountOf(person))?.frozen_at).toEqual(now);
    expect(await perform(officer, person, plain('freeze'))).toEqual({ kind: 'unfit', cause: 'frozen' });
    const lift = await awaited(perform(officer, person, plain('unfreeze')));
    expect((await accountOf(person))?.frozen_at).toEqual(now);
    expect(await approve(second, lift)).toMatchObject({ kind: 'done' });
    expect((await accountOf(person))?.frozen_at).toBeNull();
    expect(await auditOf(db, 'account.frozen')).toMatchObject([{ actor_id: officer, detail: { by: 'officer' } }]);
    expect(await auditOf(db, 'account.unfrozen')).toMatchObject([{ actor_id: officer, account_id: person }]);
    expect(await auditOf(db, 'desk.done')).toMatchObject([{}, { detail: { action: 'unfreeze', act: lift, second } }]);
  });

  it('unlock ends the wait and forgets no wrong code', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    for (let wrong = 0; wrong < 5; wrong += 1) await parts.guesses.reserve(db, person);
    expect((await parts.guesses.reserve(db, person)).kind).toBe('waiting');
    expect(await perform(officer, person, plain('unlock'))).toMatchObject({ kind: 'done' });
    expect(await parts.guesses.reserve(db, person)).toEqual({ kind: 'reserved', failures: 6 });
  });

  it('sessions_end voids what the account has open', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    expect(await perform(officer, person, plain('sessions_end'))).toMatchObject({ kind: 'done' });
    expect(await epochOf(db, person)).toBe(1);
    expect((await parts.mails())[0]?.text).toMatch(/Pegawai \d+.*Kabupaten OWN/s);
  });

  it('activation_slip is for accounts that never had a password, and replaces an older one', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    const first = await perform(officer, person, plain('activation_slip'));
    const second = await perform(officer, person, plain('activation_slip'));
    if (first.kind !== 'done' || second.kind !== 'done') throw new Error('no slip was made');
    expect(first.outcome.slipId).not.toBe(second.outcome.slipId);
    await db.query('UPDATE accounts SET activated_at = $2 WHERE id = $1', [person, now]);
    expect(await perform(officer, person, plain('activation_slip'))).toEqual({ kind: 'unfit', cause: 'activated' });
  });

  it('an administrator appoints and removes officers of the own agency, alone, and nobody else', async () => {
    const [admin, person] = [await addOfficer(db, 'agency_admin'), await addEnrolled()];
    const appoint = (role: 'helpdesk' | 'agency_admin' | 'operator', agency?: string): Promise<ActAnswer> =>
      perform(admin, person, { action: 'role_grant', reason, role, agency });
    expect(await appoint('helpdesk', 'PARENT')).toEqual({ kind: 'forbidden' });
    expect(await appoint('helpdesk', 'NOWHERE')).toEqual({ kind: 'forbidden' });
    expect(await appoint('agency_admin', 'OWN-1')).toEqual({ kind: 'forbidden' });
    expect(await appoint('operator')).toEqual({ kind: 'forbidden' });
    const granted = await appoint('helpdesk', 'OWN-1');
    if (granted.kind !== 'done') throw new Error(granted.kind);
    const grantId = granted.outcome.grantId ?? '';
    expect(await auditOf(db, 'role.granted')).toMatchObject([
      { account_id: person, actor_id: admin, agency_code: 'OWN-1', detail: { role: 'helpdesk', grant: grantId } },
    ]);
    // An officer now: more roles take two.
    expect((await appoint('helpdesk', 'OWN')).kind).toBe('awaiting_approval');
    const dismiss = (officer: AccountId): Promise<ActAnswer> =>
      parts.acts.dismiss({ caller: caller(officer), grantId, reason, trace });
    expect(await dismiss(await addOfficer(db))).toEqual({ kind: 'forbidden' });
    const stranger = await addPerson(db, { place: 'other' });
    await give(db, stranger, 'agency_admin', 'other');
    expect(await dismiss(stranger)).toEqual({ kind: 'not_found' });
    expect(await dismiss(admin)).toMatchObject({ kind: 'done' });
    expect(await dismiss(admin)).toEqual({ kind: 'not_found' });
  });

  it('national roles are given and taken by two operators', async () => {
    const [one, two, person] = [
      await addOfficer(db, 'operator'),
      await addOfficer(db, 'operator'),
      await addEnrolled(),
    ];
    const act = await awaited(perform(one, person, { action: 'role_grant', reason, role: 'operator' }));
    expect(await db.query('SELECT FROM role_grants WHERE account_id = $1', [person])).toEqual([]);
    expect(await approve(two, act)).toMatchObject({ kind: 'done' });
    const [grant] = await db.query('SELECT id, granted_by FROM role_grants WHERE account_id = $1', [person]);
    expect(grant?.granted_by).toBe(one);
    const grantId = String(grant?.id);
    expect((await parts.acts.dismiss({ caller: caller(one), grantId, reason, trace })).kind).toBe('awaiting_approval');
  });

  it.each([
    ['an agency role without an agency', { role: 'helpdesk' as const }, 'forbidden'],
    ['a national role with one', { role: 'operator' as const, agency: 'OWN' }, 'unfit'],
    ['an agency that does not exist', { role: 'helpdesk' as const, agency: 'NOWHERE' }, 'unfit'],
  ])('appoints nobody to %s', async (_, wanted, kind) => {
    const [operator, person] = [await addOfficer(db, 'operator'), await addPerson(db)];
    const answer = await perform(operator, person, { action: 'role_grant', reason, ...wanted });
    expect([kind, 'unfit']).toContain(answer.kind);
    expect(await db.query('SELECT FROM role_grants WHERE account_id = $1', [person])).toEqual([]);
  });
});

describe('two officers (R-10)', () => {
  it('a reset by a document is done by the second, once, and tells whom the first was', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    const seconds = await Promise.all(Array.from({ length: 8 }, () => addOfficer(db)));
    const act = await awaited(perform(officer, person, byDocument));
    expect(await epochOf(db, person)).toBe(0);
    const answers = await Promise.all(seconds.map((second) => approve(second, act)));
    expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'not_found')).toHaveLength(7);
    expect(await epochOf(db, person)).toBe(1);
    expect(await parts.mails()).toHaveLength(1);
    const [kept] = await db.query('SELECT state, officer_id, decided_by, decided_at FROM officer_acts');
    expect(kept).toMatchObject({ state: 'done', officer_id: officer, decided_at: now });
    expect(seconds).toContain(kept?.decided_by);
  });

  it('the second is never the first, nor the person, nor somebody without the authority', async () => {
    const [officer, colleague] = [await addOfficer(db), await addOfficer(db)];
    const act = await awaited(perform(officer, colleague, plain('sessions_end')));
    const stranger = await addPerson(db, { place: 'other' });
    await give(db, stranger, 'helpdesk', 'other');
    const [auditor, nobody] = [await addOfficer(db, 'auditor'), await addPerson(db)];
    expect(await approve(officer, act)).toEqual({ kind: 'forbidden' });
    expect(await approve(colleague, act)).toEqual({ kind: 'forbidden' });
    for (const one of [stranger, auditor, nobody]) expect(await approve(one, act)).toEqual({ kind: 'not_found' });
    expect((await auditOf(db, 'desk.refused')).map(({ detail }) => (detail as { cause: string }).cause)).toEqual([
      'approve:same_officer',
      'approve:self',
      'approve:out_of_scope',
      'approve:out_of_scope',
      'approve:out_of_scope',
    ]);
    expect(await epochOf(db, colleague)).toBe(0);
    expect(await approve(await addOfficer(db, 'agency_admin'), act)).toMatchObject({ kind: 'done' });
  });

  it.each<[string, (officer: AccountId, person: AccountId) => Promise<unknown>]>([
    ['the first is an officer no more', (officer) => take(db, officer, 'helpdesk')],
    ['the first has left', (officer) => db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [officer])],
    [
      'the person has moved',
      (_, person) => db.query(`UPDATE accounts SET agency_code = 'OTHER' WHERE id = $1`, [person]),
    ],
    ['the person is above the first by now', (_, person) => give(db, person, 'agency_admin')],
  ])('agreeing does nothing any more once %s', async (_, change) => {
    const [officer, second, person] = [await addOfficer(db), await addOfficer(db, 'operator'), await addPerson(db)];
    const act = await awaited(perform(officer, person, byDocument));
    await change(officer, person);
    expect((await approve(second, act)).kind).toBe('not_found');
    expect(await epochOf(db, person)).toBe(0);
    expect(await db.query('SELECT state FROM officer_acts')).toEqual([{ state: 'void' }]);
  });

  it.each<[string, (officer: AccountId, second: AccountId) => Promise<unknown>]>([
    ['the first loses the role', (officer) => take(db, officer, 'helpdesk')],
    ['the second loses the role', (_, second) => take(db, second, 'helpdesk')],
  ])('between judgement and deed, too: %s', async (_, change) => {
    const [officer, second, person] = [await addOfficer(db), await addOfficer(db), await addPerson(db)];
    const act = await awaited(perform(officer, person, byDocument));
    let approving: Promise<ActAnswer> | undefined;
    await db.transaction(async (tx) => {
      // Stops the approval at its own statement, which needs the row of the act.
      await tx.query('SELECT FROM officer_acts WHERE id = $1 FOR UPDATE', [act]);
      approving = approve(second, act);
      await waiting(db);
      await change(officer, second);
    });
    // The statement began before the change: PostgreSQL reads the roles anew for the row it waited for, or not; never
    // may the reset come without its row.
    const answer = await approving;
    const [row] = await db.query('SELECT state FROM officer_acts WHERE id = $1', [act]);
    expect(await epochOf(db, person)).toBe(answer?.kind === 'done' ? 1 : 0);
    expect(row?.state === 'done').toBe(answer?.kind === 'done');
  });

  it('waits a day, then a new one may be asked for', async () => {
    const [officer, second, person] = [await addOfficer(db), await addOfficer(db), await addPerson(db)];
    const act = await awaited(perform(officer, person, byDocument));
    expect(await perform(second, person, byDocument)).toEqual({ kind: 'awaited_already', actId: act });
    parts.clock.at = secondsAfter(now, 24 * 3600);
    expect(await approve(second, act)).toEqual({ kind: 'not_found' });
    expect(await parts.acts.waiting(second)).toEqual([]);
    expect((await perform(second, person, byDocument)).kind).toBe('awaiting_approval');
  });

  it('is turned down by the second, or taken back by the first', async () => {
    const [officer, second, person] = [await addOfficer(db), await addOfficer(db), await addPerson(db)];
    for (const [who, by] of [
      [second, 'second'],
      [officer, 'asker'],
    ] as const) {
      await db.query('TRUNCATE audit_events');
      const act = await awaited(perform(officer, person, byDocument));
      expect(await parts.acts.reject({ caller: caller(who), actId: act, trace })).toEqual({ kind: 'rejected' });
      expect(await parts.acts.reject({ caller: caller(who), actId: act, trace })).toEqual({ kind: 'not_found' });
      expect(await approve(second, act)).toEqual({ kind: 'not_found' });
      expect(await auditOf(db, 'desk.rejected')).toMatchObject([{ actor_id: who, detail: { act, by } }]);
    }
    expect(await epochOf(db, person)).toBe(0);
  });

  it.each([
    ['the own agency', 'OWN', 'awaiting_approval'],
    ['one above it', 'PARENT', 'awaiting_approval'],
    ['one below it', 'OWN-1', 'done'],
    ['another', 'SIBLING', 'done'],
  ])('are demanded always by %s', async (_, agency, kind) => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    await db.query('UPDATE agencies SET two_officers = true WHERE code = $1', [agency]);
    expect((await perform(officer, person, plain('sessions_end'))).kind).toBe(kind);
  });

  it('an agency demands them by its own administrators, or those above', async () => {
    const [admin, officer] = [await addOfficer(db, 'agency_admin'), await addOfficer(db)];
    const set = (accountId: AccountId, agency: string): Promise<boolean> =>
      parts.twoOfficers.set({ caller: caller(accountId), agency, on: true, trace });
    expect(await set(officer, 'OWN')).toBe(false);
    for (const agency of ['PARENT', 'SIBLING', 'own', 'NOWHERE']) expect(await set(admin, agency)).toBe(false);
    expect(await set(admin, 'OWN-1')).toBe(true);
    expect(await db.query('SELECT code FROM agencies WHERE two_officers')).toEqual([{ code: 'OWN-1' }]);
    expect(await auditOf(db, 'agency.changed')).toMatchObject([{ actor_id: admin, agency_code: 'OWN-1' }]);
    expect(await auditOf(db, 'desk.refused')).toHaveLength(5);
  });

  it('shows what waits within scope, and to whom it is to decide', async () => {
    const [officer, second, person] = [await addOfficer(db), await addOfficer(db), await addPerson(db)];
    const act = await awaited(perform(officer, person, byDocument));
    expect(await parts.acts.list({ caller: caller(second), trace })).toMatchObject([
      { id: act, action: 'mfa_reset', account: { id: person }, officer: { id: officer }, reason, mayDecide: true },
    ]);
    expect(await auditOf(db, 'desk.listed')).toMatchObject([
      { actor_id: second, detail: { list: 'orders', count: 1 } },
    ]);
    expect(await parts.acts.findWaiting(officer, act)).toMatchObject({ mayDecide: false });
    const stranger = await addPerson(db, { place: 'other' });
    await give(db, stranger, 'helpdesk', 'other');
    expect(await parts.acts.waiting(stranger)).toEqual([]);
    expect(await parts.acts.findWaiting(stranger, act)).toBeUndefined();
    expect(await parts.acts.findWaiting(second, 'no id')).toBeUndefined();
  });

  it('is foreseen by the same questions as the act asks', async () => {
    const officer = await addOfficer(db, 'agency_admin');
    const [enrolled, bare, colleague] = [await addEnrolled(), await addPerson(db), await addOfficer(db, 'helpdesk')];
    await db.query('UPDATE accounts SET activated_at = $2 WHERE id = ANY ($1::uuid[])', [[enrolled, bare], now]);
    const toAddress: Order = { action: 'contact_change', reason, email: 'lain@contoh.example' };
    const cases: readonly (readonly [AccountId, Order, boolean])[] = [
      [bare, toAddress, true],
      [enrolled, plain('freeze'), false],
      [colleague, plain('freeze'), true],
      [enrolled, byDocument, true],
    ];
    for (const [person, asked, waits] of cases) {
      expect(await parts.acts.needsSecond(officer, { accountId: person, order: asked })).toBe(waits);
      const { kind } = await perform(officer, person, asked);
      expect([asked.action, kind]).toEqual([asked.action, waits ? 'awaiting_approval' : 'done']);
    }
    const another = await addEnrolled();
    expect(await parts.acts.needsSecond(officer, { accountId: another, order: toAddress })).toBe(false);
    await db.query('UPDATE agencies SET two_officers = true');
    expect(await parts.acts.needsSecond(officer, { accountId: enrolled, order: plain('unlock') })).toBe(true);
    expect(await parts.acts.needsSecond(officer, { accountId: 'siapa', order: plain('unlock') })).toBe(false);
  });

  it('keeps what is agreed to sealed', async () => {
    const [one, two, person] = [
      await addOfficer(db, 'operator'),
      await addOfficer(db, 'operator'),
      await addEnrolled(),
    ];
    const act = await awaited(perform(one, person, { action: 'role_grant', reason, role: 'auditor' }));
    const [row] = await db.query('SELECT particulars FROM officer_acts WHERE id = $1', [act]);
    expect(row?.particulars).not.toContain('auditor');
    expect((await parts.acts.findWaiting(two, act))?.particulars).toEqual({ role: 'auditor' });
  });
});

describe('one administrator is not two officers', () => {
  it('nobody becomes an officer who has no factor of their own', async () => {
    const [admin, puppet] = [await addOfficer(db, 'agency_admin'), await addPerson(db)];
    const grant: Order = { action: 'role_grant', reason, role: 'helpdesk', agency: 'OWN' };
    expect(await perform(admin, puppet, grant)).toEqual({ kind: 'unfit', cause: 'no_factor' });
  });

  it.each([
    ['the second appointed the first', true],
    ['the first appointed the second', false],
  ])('%s, however long ago: they are not two', async (_, second) => {
    const [admin, puppet, person] = [await addOfficer(db, 'agency_admin'), await addOfficer(db), await addPerson(db)];
    await appointedBy(admin, puppet, 1000);
    const [first, other] = second ? [puppet, admin] : [admin, puppet];
    const act = await awaited(perform(first, person, byDocument));
    expect(await parts.acts.findWaiting(other, act)).toMatchObject({ mayDecide: false });
    expect(await approve(other, act)).toEqual({ kind: 'forbidden' });
    expect(await epochOf(db, person)).toBe(0);
    expect(await approve(await addOfficer(db), act)).toMatchObject({ kind: 'done' });
  });

  it.each([
    [23, 'forbidden'],
    [24, 'done'],
  ])('an officer of %i hours agrees to nothing yet: %s', async (hours, kind) => {
    const [officer, newcomer, person] = [await addOfficer(db), await addOfficer(db), await addPerson(db)];
    await appointedBy(await addOfficer(db, 'agency_admin'), newcomer, hours);
    const act = await awaited(perform(officer, person, byDocument));
    expect((await approve(newcomer, act)).kind).toBe(kind);
  });

  it('what was begun for an ordinary account ends with its appointment, which is told and raises an alarm', async () => {
    const [officer, admin, above] = [
      await addOfficer(db),
      await addOfficer(db, 'agency_admin'),
      await addOfficer(db, 'operator'),
    ];
    const person = await addEnrolled();
    const ended: string[] = [];
    parts.underWay.push((_tx, id) => {
      ended.push(id);
      return Promise.resolve();
    });
    await perform(admin, person, { action: 'role_grant', reason, role: 'helpdesk', agency: 'OWN' });
    expect(ended).toEqual([person]);
    expect((await parts.mails()).map(({ mail }) => mail)).toEqual(['officer-acted']);
    expect((await parts.alarms.unseen(above)).map(({ kind }) => kind)).toContain('appointment');
    expect(await parts.alarms.unseen(officer)).toEqual([]);
  });

  it('a reset asks for two for a month after an officer gave another address, and the other way round', async () => {
    const [officer, person] = [await addOfficer(db), await addEnrolled()];
    await db.query(
      `INSERT INTO officer_acts (action, account_id, officer_id, client_id, agency_code, reason, state, created_at)
       VALUES ('contact_change', $1, $2, 'console', 'OWN', 'x', 'done', $3)`,
      [person, officer, secondsAfter(now, -29 * 24 * 3600)],
    );
    expect((await parts.reset(officer, person)).kind).toBe('awaiting_approval');
    const other = await addEnrolled();
    await db.query('UPDATE accounts SET activated_at = $2 WHERE id = $1', [other, now]);
    await parts.reset(officer, other);
    const address: Order = { action: 'contact_change', reason, email: 'baru@contoh.test' };
    expect((await perform(officer, other, address)).kind).toBe('awaiting_approval');
  });

  it('a new address for an account that asks for nothing but its mailbox takes two', async () => {
    const [officer, person] = [await addOfficer(db), await addPerson(db)];
    await db.query('UPDATE accounts SET activated_at = $2 WHERE id = $1', [person, now]);
    const address: Order = { action: 'contact_change', reason, email: 'baru@contoh.test' };
    expect((await perform(officer, person, address)).kind).toBe('awaiting_approval');
  });

  it('who demands two officers does not stop demanding them alone', async () => {
    const [admin, parent] = [await addOfficer(db, 'agency_admin'), await addPerson(db)];
    await give(db, parent, 'agency_admin', 'parent');
    const set = (accountId: AccountId, on: boolean): Promise<boolean> =>
      parts.twoOfficers.set({ caller: caller(accountId), agency: 'OWN', on, trace });
    expect(await set(admin, true)).toBe(true);
    expect(await set(admin, false)).toBe(false);
    expect(await set(parent, false)).toBe(true);
  });

  it('an approval is of what its call is for', async () => {
    const [one, two, person] = [
      await addOfficer(db, 'operator'),
      await addOfficer(db, 'operator'),
      await addEnrolled(),
    ];
    const actId = await awaited(perform(one, person, { action: 'role_grant', reason, role: 'operator' }));
    const covers = (action: ActAction): boolean => action === 'mfa_reset';
    expect(await parts.acts.approve({ caller: caller(two), actId, trace, covers })).toEqual({ kind: 'not_found' });
    expect(await db.query('SELECT FROM role_grants WHERE account_id = $1', [person])).toEqual([]);
  });
});

it('agreeing spends the quota of acts, too', async () => {
  const [officer, second] = [await addOfficer(db), await addOfficer(db)];
  const acts: string[] = [];
  for (let number = 0; number < 20; number += 1)
    acts.push(await awaited(perform(officer, await addPerson(db), byDocument)));
  for (let number = 0; number < 41; number += 1) await perform(second, await addPerson(db), plain('unlock'));
  const kinds: string[] = [];
  for (const act of acts) kinds.push((await approve(second, act)).kind);
  expect(kinds).toEqual([...Array<string>(19).fill('done'), 'throttled']);
});

it('twenty people shut out within an hour raise an alarm, also by day', async () => {
  parts.clock.at = new Date('2026-11-23T03:00:00Z');
  const [officer, admin] = [await addOfficer(db), await addOfficer(db, 'agency_admin')];
  for (let number = 0; number < 19; number += 1) await perform(officer, await addPerson(db), plain('freeze'));
  expect(await parts.alarms.unseen(admin)).toEqual([]);
  await perform(officer, await addPerson(db), plain('freeze'));
  expect((await parts.alarms.unseen(admin)).map(({ kind }) => kind)).toEqual(['mass']);
});

it('two officers who act on each other at once do not wait for one another', async () => {
  const [one, other] = [await addOfficer(db), await addOfficer(db)];
  for (let round = 0; round < 10; round += 1) {
    await db.query('TRUNCATE officer_acts, quotas');
    const answers = await Promise.all([
      perform(one, other, plain('sessions_end')),
      perform(other, one, plain('sessions_end')),
    ]);
    expect(answers.map(({ kind }) => kind)).toEqual(['awaiting_approval', 'awaiting_approval']);
  }
});

it('who asks for one stranger after the other is told nothing any more', async () => {
  const officer = await addOfficer(db);
  for (let tries = 0; tries < 100; tries += 1) {
    expect((await perform(officer, '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10', plain('unlock'))).kind).toBe('not_found');
  }
  const stranger = await addPerson(db, { place: 'other' });
  for (const id of [stranger, '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10']) {
    expect((await perform(officer, id, plain('unlock'))).kind).toBe('throttled');
  }
  expect((await perform(officer, await addPerson(db), plain('unlock'))).kind).toBe('done');
});

it('guesses at the registered address are counted like any act', async () => {
  const [officer, person] = [await addOfficer(db), await addPerson(db)];
  await perform(officer, person, plain('freeze'));
  const kinds = new Set<string>();
  for (let tries = 0; tries < 70; tries += 1) kinds.add((await perform(officer, person, plain('freeze'))).kind);
  expect([...kinds]).toEqual(['unfit', 'throttled']);
});

describe('alarms (A20)', () => {
  const MONDAY_MORNING = new Date('2026-11-23T03:00:00Z');
  const kindsOf = async (admin: AccountId): Promise<string[]> =>
    (await parts.alarms.unseen(admin)).map(({ kind }) => kind);

  it('none on an ordinary morning', async () => {
    parts.clock.at = MONDAY_MORNING;
    const [admin, officer] = [await addOfficer(db, 'agency_admin'), await addOfficer(db)];
    for (let act = 0; act < 4; act += 1) await parts.reset(officer, await addPerson(db));
    expect(await kindsOf(admin)).toEqual([]);
  });

  it('five resets within ten minutes, once an hour', async () => {
    parts.clock.at = MONDAY_MORNING;
    const [admin, officer] = [await addOfficer(db, 'agency_admin'), await addOfficer(db)];
    for (let act = 0; act < 8; act += 1) await parts.reset(officer, await addPerson(db));
    expect(await kindsOf(admin)).toEqual(['burst']);
    expect(parts.raised).toEqual(['burst']);
    expect(await auditOf(db, 'alarm.raised')).toMatchObject([{ actor_id: officer, agency_code: 'OWN' }]);
    // Nothing of another agency, and nothing of one's own making.
    const stranger = await addPerson(db, { place: 'other' });
    await give(db, stranger, 'agency_admin', 'other');
    expect(await kindsOf(stranger)).toEqual([]);
    await give(db, officer, 'agency_admin');
    expect(await kindsOf(officer)).toEqual([]);
  });

  it.each([
    ['a night in Jakarta', '2026-11-23T13:00:00Z', ['off_hours']],
    ['before the first desk opens', '2026-11-22T21:59:00Z', ['off_hours']],
    ['the first desk of Papua', '2026-11-22T22:00:00Z', []],
    ['a Saturday', '2026-11-21T03:00:00Z', ['off_hours']],
  ])('a way into an account at: %s', async (_, at, kinds) => {
    parts.clock.at = new Date(at);
    const [admin, officer] = [await addOfficer(db, 'agency_admin'), await addOfficer(db)];
    await perform(officer, await addPerson(db), plain('sessions_end'));
    await parts.reset(officer, await addPerson(db));
    expect(await kindsOf(admin)).toEqual(kinds);
  });

  it('the same account twice within a month, whoever did it', async () => {
    parts.clock.at = MONDAY_MORNING;
    const [admin, officer, colleague] = [
      await addOfficer(db, 'agency_admin'),
      await addOfficer(db),
      await addOfficer(db),
    ];
    const person = await addPerson(db);
    await parts.reset(officer, person);
    parts.clock.at = secondsAfter(MONDAY_MORNING, 29 * 24 * 3600);
    await parts.reset(colleague, person);
    expect(await kindsOf(admin)).toEqual(['pattern']);
  });

  it('are put away once, by an administrator who is not the officer', async () => {
    parts.clock.at = new Date('2026-11-21T03:00:00Z');
    const [admin, officer] = [await addOfficer(db, 'agency_admin'), await addOfficer(db)];
    await parts.reset(officer, await addPerson(db));
    const [alarm] = await parts.alarms.unseen(admin);
    const id = alarm?.id ?? '';
    expect(await parts.alarms.putAway(caller(officer), id, trace)).toBe(false);
    expect(await parts.alarms.putAway(caller(admin), 'no id', trace)).toBe(false);
    const both = await Promise.all([1, 2].map(() => parts.alarms.putAway(caller(admin), id, trace)));
    expect(both.sort()).toEqual([false, true]);
    expect(await kindsOf(admin)).toEqual([]);
    expect(await auditOf(db, 'alarm.seen')).toHaveLength(1);
  });
});

it('an act whose audit row cannot be written is no act (R-40)', async () => {
  const [officer, person] = [await addOfficer(db), await addPerson(db)];
  await db.query(`ALTER TABLE audit_events ADD CONSTRAINT nothing_fits CHECK (type = '') NOT VALID`);
  try {
    for (const asked of [plain('sessions_end'), plain('freeze'), byDocument]) {
      await expect(perform(officer, person, asked)).rejects.toThrow();
    }
  } finally {
    await db.query('ALTER TABLE audit_events DROP CONSTRAINT nothing_fits');
  }
  expect(await db.query('SELECT FROM officer_acts')).toEqual([]);
  expect(await accountOf(person)).toMatchObject({ cred_epoch: 0, frozen_at: null });
  expect(await parts.acts.perform(order(officer, person))).toMatchObject({ kind: 'awaiting_approval' });
});
