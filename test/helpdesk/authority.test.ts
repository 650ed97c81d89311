import { ROLES, type Role } from '#src/accounts/role.js';
import { ACT_ACTIONS, type ActAction, type Order } from '#src/helpdesk/acts/act.js';
import {
  authorityOver,
  DESK_ACTIONS,
  mayAppoint,
  type DeskAction,
  type HeldRole,
  type Subject,
} from '#src/helpdesk/authority.js';
import {
  NEEDS_SECOND,
  selectLineage,
  selectRolesOfSubject,
  selectUsableRoles,
  underAuthorityOf,
  withinReachOf,
} from '#src/helpdesk/authority-store.js';
import { accountId, agencyCode, type AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { addPerson, give, now, plantAgencies, PLACES, take, type Place } from './people.js';
import { auditOf, epochOf, order, resetParts, type ResetParts } from './reset-parts.js';

let db: Database & TestDatabase;
let parts: ResetParts;
beforeAll(async () => {
  db = await openTestDatabase();
  parts = resetParts(db);
  await plantAgencies(db);
});
afterAll(() => db.drop());

const places = Object.keys(PLACES) as Place[];
const OWN_SUBTREE: readonly Place[] = ['own', 'child', 'grandchild'];

/** What an officer of OWN reaches, written down a second time and by hand. */
const REACH: Record<string, readonly Place[]> = {
  helpdesk: OWN_SUBTREE,
  agency_admin: OWN_SUBTREE,
  operator: places,
  auditor: [],
  nobody: [],
  'helpdesk whose role was revoked': [],
  'operator who is inactive': [],
  'helpdesk who is frozen': [],
  'operator whose factors were reset today': [],
};

/** What each role is for, by hand again. */
const FOR_ADMINISTRATORS: readonly DeskAction[] = ['disable', 'enable', 'role_grant', 'role_revoke', 'watch'];

/** Whose like each role may act on. */
const COVERED: Record<string, readonly Role[]> = {
  helpdesk: ['helpdesk'],
  agency_admin: ['helpdesk', 'agency_admin'],
  operator: ROLES,
};

/** Roles a person of each place may hold themselves, in the place of the account. */
const TARGETS = ['nothing', 'a role that was revoked', ...ROLES] as const;
type Target = (typeof TARGETS)[number];

async function officerOf(kind: string): Promise<AccountId> {
  const id = await addPerson(db);
  const role = ROLES.find((each) => kind.startsWith(each));
  if (role !== undefined) await give(db, id, role);
  if (kind.includes('revoked') && role !== undefined) await take(db, id, role);
  if (kind.includes('inactive')) await db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [id]);
  if (kind.includes('frozen')) await db.query(`UPDATE accounts SET frozen_at = created_at WHERE id = $1`, [id]);
  if (kind.includes('reset today')) await endFactor(id, 'helpdesk_reset', '2026-11-19T04:00:00Z');
  return id;
}

const endFactor = (id: AccountId, reason: string, at: string) =>
  db.query(
    `INSERT INTO devices (id, account_id, kind, status, name, created_at, activated_at, ended_at, ended_reason)
     VALUES (gen_random_uuid(), $1, 'totp', 'ended', 'Ponsel', $3, $3, $3, $2)`,
    [id, reason, at],
  );

async function targetOf(place: Place, target: Target): Promise<AccountId> {
  const id = await addPerson(db, { place });
  if (target === 'a role that was revoked') {
    await give(db, id, 'agency_admin', place);
    await take(db, id, 'agency_admin', place);
  } else if (target !== 'nothing') await give(db, id, target, place);
  return id;
}

const CELLS = places.flatMap((place) =>
  TARGETS.map((target) => ({ place, target, name: `${place}, holds ${target}` })),
);
type Cell = (typeof CELLS)[number];

const isOfficer = ({ target }: Cell): boolean => target !== 'nothing' && target !== 'a role that was revoked';

function expectedCause(officer: string, cell: Cell, action: DeskAction): string | undefined {
  if (REACH[officer]?.includes(cell.place) !== true) return 'out_of_scope';
  if (officer === 'helpdesk' && FOR_ADMINISTRATORS.includes(action)) return 'role';
  if (action === 'look' || !isOfficer(cell)) return undefined;
  return COVERED[officer]?.includes(cell.target as Role) === true ? undefined : 'above';
}

const ON_PEOPLE = DESK_ACTIONS.filter((action) => action !== 'watch');
const ACTING = { officer: '$1', now: '$3' };
const predicates = ON_PEOPLE.map(
  (action) => `(${action === 'look' ? withinReachOf(ACTING, action) : underAuthorityOf(ACTING, action)}) AS ${action}`,
).join(', ');

describe('who may do what to whom (R-10, A21)', () => {
  let targets: Map<string, AccountId>;
  beforeAll(async () => {
    targets = new Map();
    for (const cell of CELLS) targets.set(cell.name, await targetOf(cell.place, cell.target));
  });
  const targetOfCell = ({ name }: Cell): AccountId => targets.get(name) ?? accountId('');

  const subjectOf = async (id: AccountId, place: Place): Promise<Subject> => ({
    id,
    lineage: await selectLineage(db, agencyCode(PLACES[place])),
    roles: await selectRolesOfSubject(db, id),
  });

  it.each(Object.keys(REACH))(
    `${CELLS.length * (DESK_ACTIONS.length - 1)} questions to the rule and to its SQL, by an officer who is: %s`,
    async (kind) => {
      const officer = await officerOf(kind);
      const roles = await selectUsableRoles(db, officer, now);
      const wrong: string[] = [];
      for (const cell of CELLS) {
        const id = targetOfCell(cell);
        const subject = await subjectOf(id, cell.place);
        const [asked] = await db.query(
          `SELECT ${predicates}, ${NEEDS_SECOND} AS by_two
             FROM accounts a JOIN agencies g ON g.code = a.agency_code WHERE a.id = $2`,
          [officer, id, now],
        );
        if (asked?.by_two !== isOfficer(cell)) wrong.push(`${cell.name}: by two in SQL`);
        for (const action of ON_PEOPLE) {
          const cause = expectedCause(kind, cell, action);
          const judged = authorityOver({ id: officer, roles }, subject, action);
          if ((judged.kind === 'refused' ? judged.cause : undefined) !== cause) wrong.push(`${cell.name}: ${action}`);
          if (judged.kind === 'allowed' && action !== 'look' && judged.needsSecond !== isOfficer(cell)) {
            wrong.push(`${cell.name}: ${action} by two`);
          }
          if (asked?.[action] !== (cause === undefined)) wrong.push(`${cell.name}: ${action} in SQL`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it.each(Object.keys(REACH))(`${CELLS.length} resets by an officer who is: %s`, async (kind) => {
    const officer = await officerOf(kind);
    const wrong: string[] = [];
    for (const cell of CELLS) {
      const target = targetOfCell(cell);
      const cause = expectedCause(kind, cell, 'mfa_reset');
      const expected = cause === undefined ? (isOfficer(cell) ? 'awaiting_approval' : 'done') : ANSWERS[cause];
      const code = await parts.present(target);
      await db.query('TRUNCATE audit_events, quotas, officer_acts');
      const before = await epochOf(db, target);
      const answer = await parts.acts.perform(order(officer, target, code));
      const raised = (await epochOf(db, target)) - before;
      if (answer.kind !== expected) wrong.push(`${cell.name}: ${answer.kind}`);
      if (raised !== (expected === 'done' ? 1 : 0)) wrong.push(`${cell.name}: the epoch rose by ${raised}`);
      const about = { account_id: target, actor_id: officer, agency_code: PLACES[cell.place], client_id: 'console' };
      const refused = await auditOf(db, 'desk.refused');
      expect(refused).toEqual(
        cause === undefined ? [] : [{ ...about, request_id: 'request-1', detail: { action: 'mfa_reset', cause } }],
      );
      const written = await auditOf(db, expected === 'done' ? 'mfa_reset.done' : 'desk.asked');
      expect(written).toEqual(cause === undefined ? [expect.objectContaining(about)] : []);
    }
    expect(wrong).toEqual([]);
  });

  it.each(['helpdesk', 'agency_admin', 'operator'] as const)('nobody acts on themselves: %s', async (role) => {
    const officer = await officerOf(role);
    await db.query('TRUNCATE audit_events');
    const open = ACT_ACTIONS.filter((action) => role !== 'helpdesk' || !FOR_ADMINISTRATORS.includes(action));
    for (const action of open) {
      const asked = { ...order(officer, officer.toUpperCase()), order: orderFor(action) };
      expect(await parts.acts.perform(asked)).toEqual({ kind: 'forbidden' });
    }
    expect((await auditOf(db, 'desk.refused')).map(({ detail }) => detail)).toEqual(
      open.map((action) => ({ action, cause: 'self' })),
    );
    expect(await epochOf(db, officer)).toBe(0);
  });

  it.each([
    ['an id that nobody has', '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10', '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10'],
    ['no UUID at all', '199001012023211001', null],
    ['an id and more', `0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10' OR true`, null],
  ])('answers like an account out of scope: %s', async (_, named, recorded) => {
    const officer = await officerOf('operator');
    await db.query('TRUNCATE audit_events');
    expect(await parts.acts.perform(order(officer, named))).toEqual({ kind: 'not_found' });
    expect(await auditOf(db, 'desk.refused')).toEqual([
      expect.objectContaining({
        account_id: recorded,
        agency_code: 'OWN',
        detail: { action: 'mfa_reset', cause: 'unknown' },
      }),
    ]);
  });
});

describe('rights rest after a reset of the own factors (R-11)', () => {
  const mayReset = async (officer: AccountId): Promise<string> =>
    (await parts.acts.perform(order(officer, await addPerson(db)))).kind;

  it.each([
    ['by an officer, a second less than a day ago', 'helpdesk_reset', '2026-11-19T03:00:01Z', 'not_found'],
    ['by themselves, a second less than a day ago', 'self_reset', '2026-11-19T03:00:01Z', 'not_found'],
    ['a day ago', 'helpdesk_reset', '2026-11-19T03:00:00Z', 'awaiting_approval'],
  ])('%s', async (_, reason, at, kind) => {
    const officer = await officerOf('helpdesk');
    await endFactor(officer, reason, at);
    expect(await mayReset(officer)).toBe(kind);
  });

  it.each(['removed', 'moved', 'too_many_codes'])('and not after one was %s', async (reason) => {
    const officer = await officerOf('helpdesk');
    await endFactor(officer, reason, '2026-11-20T02:59:00Z');
    expect(await mayReset(officer)).toBe('awaiting_approval');
  });
});

const ANSWERS: Record<string, string> = { out_of_scope: 'not_found', above: 'forbidden', role: 'forbidden' };

function orderFor(action: ActAction): Order {
  const reason = 'Diminta pegawai';
  if (action === 'mfa_reset') return { action, reason, ticket: 'T-1', verification: { method: 'photo_id' } };
  if (action === 'contact_change') return { action, reason, email: 'baru@contoh.test' };
  if (action === 'role_grant') return { action, reason, role: 'helpdesk', agency: 'OWN' };
  if (action === 'role_revoke') return { action, reason, grantId: '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10' };
  return { action, reason };
}

describe('authority as a rule', () => {
  const id = accountId('0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10');
  const subject = (lineage: readonly string[]): Subject => ({ id, lineage: lineage.map(agencyCode), roles: [] });
  const officer = (...roles: readonly (readonly [Role, string | undefined])[]) => ({
    id: accountId('5b1e8a52-3d7c-4b39-9a55-0d5a7c1f2e33'),
    roles: roles.map(([role, code]): HeldRole => ({
      role,
      agency: code === undefined ? undefined : { code: agencyCode(code), name: code },
    })),
  });

  it.each([
    ['a role of an agency that names none', officer(['helpdesk', undefined]), subject(['A'])],
    ['a national role that names an agency', officer(['operator', 'A']), subject(['A'])],
    ['a wildcard', officer(['helpdesk', '*'], ['agency_admin', '%']), subject(['A'])],
    ['an empty code', officer(['helpdesk', '']), subject(['A'])],
    ['a prefix of the code', officer(['helpdesk', 'A']), subject(['A-1'])],
    ['an account of no agency', officer(['helpdesk', 'A'], ['operator', undefined]), subject([])],
    ['someone who only reads', officer(['auditor', undefined]), subject(['A'])],
  ])('reaches nobody: %s', (_, who, whom) => {
    expect(authorityOver(who, whom, 'mfa_reset')).toEqual({ kind: 'refused', cause: 'out_of_scope' });
  });

  it('acts in the name of the agency before the nation', () => {
    const both = officer(['operator', undefined], ['helpdesk', 'A']);
    expect(authorityOver(both, subject(['A-1', 'A']), 'mfa_reset')).toMatchObject({
      through: { role: 'helpdesk', agency: { code: 'A', name: 'A' } },
    });
  });

  it('covers every role of the person, each by one of the own', () => {
    const theirs = (role: Role, ...lineage: string[]) => ({ role, lineage: lineage.map(agencyCode) });
    const whom = (...roles: Subject['roles'][number][]): Subject => ({ ...subject(['A']), roles });
    const two = officer(['helpdesk', 'A'], ['agency_admin', 'B']);
    expect(authorityOver(two, whom(theirs('helpdesk', 'A')), 'unlock').kind).toBe('allowed');
    expect(authorityOver(two, whom(theirs('helpdesk', 'A'), theirs('agency_admin', 'B')), 'unlock').kind).toBe(
      'allowed',
    );
    // Higher up, elsewhere, or of another agency that their own role does not reach.
    for (const role of [theirs('helpdesk', 'PARENT'), theirs('agency_admin', 'A'), theirs('helpdesk', 'C')]) {
      const judged = authorityOver(two, whom(theirs('helpdesk', 'A'), role), 'unlock');
      expect(judged).toEqual({ kind: 'refused', cause: 'above' });
    }
  });

  it.each<[string, ReturnType<typeof officer>, Role, string[], boolean]>([
    ['an administrator appoints officers of the own agency', officer(['agency_admin', 'A']), 'helpdesk', ['A'], true],
    ['and of those below it', officer(['agency_admin', 'A']), 'helpdesk', ['A-1', 'A'], true],
    ['not of others', officer(['agency_admin', 'A']), 'helpdesk', ['B'], false],
    ['not their like', officer(['agency_admin', 'A']), 'agency_admin', ['A-1', 'A'], false],
    ['an officer appoints nobody', officer(['helpdesk', 'A']), 'helpdesk', ['A'], false],
    ['an auditor neither', officer(['auditor', undefined]), 'helpdesk', ['A'], false],
    ['an operator appoints administrators', officer(['operator', undefined]), 'agency_admin', ['A'], true],
    ['and operators', officer(['operator', undefined]), 'operator', [], true],
    ['a national role of an agency does not', officer(['operator', 'A']), 'helpdesk', ['A'], false],
  ])('%s', (_, { roles }, role, lineage, may) => {
    expect(mayAppoint(roles, { role, lineage: lineage.map(agencyCode) })).toBe(may);
  });
});
