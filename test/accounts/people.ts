import type { NewAccount } from '#src/accounts/account.js';
import { createAccount } from '#src/accounts/accounts.js';
import { saveAgencies } from '#src/accounts/agencies.js';
import type { Nip } from '#src/accounts/nip.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import type { Queryable } from '#src/storage/database.js';

export const NOW = new Date('2026-11-23T00:30:00Z');

/** A province, a regency below it, and its personnel office. */
export async function addAgencies(db: Queryable): Promise<void> {
  const agency = (code: string, parent?: string) => ({
    code: agencyCode(code),
    name: `Instansi ${code}`,
    parentCode: parent === undefined ? undefined : agencyCode(parent),
  });
  const agencies = [agency('OFFICE', 'REGENCY'), agency('REGENCY', 'PROVINCE'), agency('PROVINCE'), agency('OTHER')];
  await saveAgencies(db, { agencies, now: NOW });
}

/** Adds one person; the agencies must be there. */
export async function addPerson(db: Queryable, nip: string, more: Partial<NewAccount> = {}): Promise<AccountId> {
  const account: NewAccount = {
    nip: nip as Nip,
    name: 'Nama Pegawai',
    email: 'pegawai@contoh.example',
    employment: 'PNS',
    agencyCode: agencyCode('REGENCY'),
    status: 'active',
    ...more,
  };
  const added = await createAccount(db, { account, now: NOW });
  if (added.kind === 'known') throw new Error('the person is known');
  return added.id;
}
