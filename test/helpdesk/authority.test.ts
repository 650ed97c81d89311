import { ROLES, type Role } from '#src/accounts/role.js';
import { authorityOver, type HeldRole } from '#src/helpdesk/authority.js';
import { underAuthorityOf } from '#src/helpdesk/authority-store.js';
import { accountId, agencyCode, type AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { addPerson, give, plantAgencies, PLACES, take, type Place } from './people.js';
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
};

/** Roles a person of each place may hold themselves. */
const TARGETS = ['nothing', 'a role that was revoked', ...ROLES] as const;
type Target = (typeof TARGETS)[number];

async function officerOf(kind: string): Promise<AccountId> {
  const id = await addPerson(db);
  const role = ROLES.find((each) => kind.startsWith(each));
  if (role !== undefined) await give(db, id, role);
  if (kind.includes('revoked') && role !== undefined) await take(db, id, role);
  if (kind.includes('inactive')) await db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [id]);
  if (kind.includes('frozen')) await db.query(`UPDATE accounts SET frozen_at = created_at WHERE id = $1`, [id]);
  return id;
}

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

function expectedCause(officer: string, { place, target }: (typeof CELLS)[number]): string | undefined {
  if (REACH[officer]?.includes(place) !== true) return 'out_of_scope';
  return target === 'nothing' || target === 'a role that was revoked' ? undefined : 'privileged';
}

const ANSWERS: Record<string, string> = { out_of_scope: 'not_found', privileged: 'forbidden', self: 'forbidden' };

describe('who may reset whom (R-10, A21)', () => {
  let targets: Map<string, AccountId>;
  beforeAll(async () => {
    targets = new Map();
    for (const { name, place, target } of CELLS) targets.set(name, await targetOf(place, target));
  });

  it.each(Object.keys(REACH))(`${CELLS.length} accounts, by an officer who is: %s`, async (kind) => {
    const officer = await officerOf(kind);
    const wrong: string[] = [];
    for (const cell of CELLS) {
      const target = targets.get(cell.name) ?? accountId('');
      const cause = expectedCause(kind, cell);
      const [asked] = await db.query(
        `SELECT ${underAuthorityOf('$1')} AS allowed
           FROM accounts a JOIN agencies g ON g.code = a.agency_code WHERE a.id = $2`,
        [officer, target],
      );
      if (asked?.allowed !== (cause === undefined)) wrong.push(`${cell.name}: the SQL predicate`);

      await db.query('TRUNCATE audit_events');
      const before = await epochOf(db, target);
      const answer = await parts.mfaReset.byOfficer(order(officer, target));
      const raised = (await epochOf(db, target)) - before;
      if (answer.kind !== (cause === undefined ? 'done' : ANSWERS[cause])) wrong.push(`${cell.name}: ${answer.kind}`);
      if (raised !== (cause === undefined ? 1 : 0)) wrong.push(`${cell.name}: the epoch rose by ${raised}`);

      const refused = await auditOf(db, 'mfa_reset.refused');
      const done = await auditOf(db, 'mfa_reset.done');
      const about = { account_id: target, actor_id: officer, agency_code: PLACES[cell.place], client_id: 'console' };
      if (cause === undefined) {
        expect(refused).toEqual([]);
        expect(done).toEqual([expect.objectContaining(about)]);
      } else {
        expect(refused).toEqual([{ ...about, request_id: 'request-1', detail: { cause } }]);
        expect(done).toEqual([]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(['helpdesk', 'agency_admin', 'operator'] as const)('nobody resets themselves: %s', async (role) => {
    const officer = await officerOf(role);
    await db.query('TRUNCATE audit_events');
    expect(await parts.mfaReset.byOfficer(order(officer, officer.toUpperCase()))).toEqual({ kind: 'forbidden' });
    expect(await auditOf(db, 'mfa_reset.refused')).toEqual([
      expect.objectContaining({ account_id: officer, detail: { cause: 'self' } }),
    ]);
    expect(await epochOf(db, officer)).toBe(0);
  });

  it.each([
    ['an id that nobody has', '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10', '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10'],
    ['no UUID at all', '199001012023211001', null],
    ['an id and more', `0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10' OR true`, null],
  ])('answers like an account out of scope: %s', async (_, named, recorded) => {
    const officer = await officerOf('operator');
    await db.query('TRUNCATE audit_events');
    expect(await parts.mfaReset.byOfficer(order(officer, named))).toEqual({ kind: 'not_found' });
    expect(await auditOf(db, 'mfa_reset.refused')).toEqual([
      expect.objectContaining({ account_id: recorded, agency_code: 'OWN', detail: { cause: 'unknown' } }),
    ]);
  });
});

describe('authority as a rule', () => {
  const id = accountId('0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10');
  const subject = (lineage: readonly string[]) => ({ id, lineage: lineage.map(agencyCode), privileged: false });
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
    expect(authorityOver(who, whom)).toEqual({ kind: 'refused', cause: 'out_of_scope' });
  });

  it('acts in the name of the agency before the nation', () => {
    const both = officer(['operator', undefined], ['helpdesk', 'A']);
    expect(authorityOver(both, subject(['A-1', 'A']))).toEqual({
      kind: 'allowed',
      through: { role: 'helpdesk', agency: { code: 'A', name: 'A' } },
    });
  });
});
