import { createAccount } from '#src/accounts/accounts.js';
import { saveAgencies } from '#src/accounts/agencies.js';
import type { Nip } from '#src/accounts/nip.js';
import { needsAgency, type Role } from '#src/accounts/role.js';
import { grantRole, revokeRole } from '#src/accounts/roles.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import type { Database } from '#src/storage/database.js';

export const now = new Date('2026-11-20T03:00:00Z');

/** The tree, by code: own < own-child < own-grandchild; own and sibling below parent; two strangers that only look alike. */
const TREE: readonly (readonly [code: string, parent: string | undefined])[] = [
  ['PARENT', undefined],
  ['OWN', 'PARENT'],
  ['OWN-1', 'OWN'],
  ['OWN-1-1', 'OWN-1'],
  ['SIBLING', 'PARENT'],
  ['OTHER', undefined],
  ['own', undefined],
  ['OWN ', undefined],
];

/** Where a person works, seen from an officer of `OWN`. */
export const PLACES = {
  own: 'OWN',
  child: 'OWN-1',
  grandchild: 'OWN-1-1',
  sibling: 'SIBLING',
  parent: 'PARENT',
  other: 'OTHER',
  'other in lower case': 'own',
  'other with a space': 'OWN ',
} as const;

export type Place = keyof typeof PLACES;

export async function plantAgencies(db: Database): Promise<void> {
  const agencies = TREE.map(([code, parent]) => ({
    code: agencyCode(code),
    name: `Kabupaten ${code}`,
    parentCode: parent === undefined ? undefined : agencyCode(parent),
  }));
  await db.transaction((tx) => saveAgencies(tx, { agencies, now }));
}

let count = 0;

export async function addPerson(
  db: Database,
  { place = 'own', email = 'siti@contoh.test' }: { place?: Place; email?: string | undefined } = {},
): Promise<AccountId> {
  count += 1;
  const created = await createAccount(db, {
    account: {
      nip: `19900101202321${String(1000 + count)}` as Nip,
      name: `Pegawai ${count}`,
      ...(email === '' ? {} : { email }),
      employment: 'PNS',
      agencyCode: agencyCode(PLACES[place]),
      status: 'active',
    },
    now,
  });
  if (created.kind !== 'created') throw new Error('the NIP is taken');
  return created.id;
}

const grant = (role: Role, place: Place) => ({
  role,
  agencyCode: needsAgency(role) ? agencyCode(PLACES[place]) : undefined,
  now,
});

export async function give(db: Database, accountId: AccountId, role: Role, place: Place = 'own'): Promise<void> {
  await db.transaction((tx) => grantRole(tx, { accountId, ...grant(role, place) }));
}

export async function take(db: Database, accountId: AccountId, role: Role, place: Place = 'own'): Promise<void> {
  await db.transaction((tx) => revokeRole(tx, { accountId, ...grant(role, place) }));
}

export async function addOfficer(db: Database, role: Role = 'helpdesk'): Promise<AccountId> {
  const id = await addPerson(db);
  await give(db, id, role);
  return id;
}
