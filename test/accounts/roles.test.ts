import { grantRole, revokeRole, rolesOf, type RoleChange } from '#src/accounts/roles.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import { openTestDatabase } from '../support/test-database.js';
import { addAgencies, addPerson, NOW } from './people.js';

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let sequence = 0;
let accountId: AccountId;
let officer: AccountId;

beforeAll(async () => {
  db = await openTestDatabase();
  await addAgencies(db);
  officer = await addPerson(db, '198609262015051999');
});

beforeEach(async () => {
  accountId = await addPerson(db, `1986092620150510${String((sequence += 1)).padStart(2, '0')}`);
});

afterAll(() => db.drop());

const helpdesk = (agency: string): RoleChange => ({
  accountId,
  role: 'helpdesk',
  agencyCode: agencyCode(agency),
  now: NOW,
});

it('grants a role once and tells who did and where it reaches', async () => {
  const granting = await grantRole(db, { ...helpdesk('REGENCY'), by: officer });
  expect(granting.kind).toBe('granted');
  expect(await grantRole(db, helpdesk('REGENCY'))).toEqual({ kind: 'held_already' });
  expect(await rolesOf(db, accountId)).toEqual([
    {
      id: granting.kind === 'granted' ? granting.grantId : '',
      role: 'helpdesk',
      agency: { code: 'REGENCY', name: 'Instansi REGENCY' },
      grantedBy: officer,
      grantedAt: NOW,
    },
  ]);
});

it('lets one of sixteen racing grants win', async () => {
  const grantings = await Promise.all(Array.from({ length: 16 }, () => grantRole(db, helpdesk('REGENCY'))));
  expect(grantings.filter(({ kind }) => kind === 'granted')).toHaveLength(1);
  expect(await rolesOf(db, accountId)).toHaveLength(1);
});

it('holds the same role for two agencies and loses one alone', async () => {
  await grantRole(db, helpdesk('REGENCY'));
  await grantRole(db, helpdesk('OTHER'));
  await grantRole(db, { accountId, role: 'auditor', now: NOW });
  expect((await revokeRole(db, helpdesk('REGENCY'))).kind).toBe('revoked');
  const left = (await rolesOf(db, accountId)).map(({ role, agency }) => [role, agency?.code]);
  expect(left).toEqual([
    ['auditor', undefined],
    ['helpdesk', 'OTHER'],
  ]);
});

it('has nothing to revoke twice, and may grant again', async () => {
  await grantRole(db, helpdesk('REGENCY'));
  await revokeRole(db, helpdesk('REGENCY'));
  expect(await revokeRole(db, helpdesk('REGENCY'))).toEqual({ kind: 'not_held' });
  expect((await grantRole(db, helpdesk('REGENCY'))).kind).toBe('granted');
});

it('refuses an agency that nobody knows, also by case', async () => {
  expect(await grantRole(db, helpdesk('regency'))).toEqual({ kind: 'unknown_agency' });
});

it('never grants a role of an agency without one, nor a national role with one', async () => {
  await expect(grantRole(db, { accountId, role: 'agency_admin', now: NOW })).rejects.toThrow('does not fit');
  await expect(grantRole(db, { ...helpdesk('REGENCY'), role: 'operator' })).rejects.toThrow('does not fit');
  const insert = 'INSERT INTO role_grants (account_id, role, agency_code, granted_at) VALUES ($1, $2, $3, $4)';
  await expect(db.query(insert, [accountId, 'helpdesk', null, NOW])).rejects.toThrow('check constraint');
  await expect(db.query(insert, [accountId, 'operator', 'REGENCY', NOW])).rejects.toThrow('check constraint');
});
