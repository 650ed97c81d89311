import { findByName, type Account } from '../accounts/accounts.js';
import { canonicalName } from '../accounts/name.js';
import type { Queryable } from '../storage/database.js';

/** The account of `--nip`, however its digits are grouped. Says so on stderr when there is none. */
export async function findByNip(db: Queryable, nip: string): Promise<Account | undefined> {
  const name = canonicalName(nip);
  const account = name.kind === 'nip' ? await findByName(db, name) : undefined;
  if (account === undefined) console.error(name.kind === 'nip' ? 'no account has this NIP' : 'a NIP has 18 digits');
  return account;
}
