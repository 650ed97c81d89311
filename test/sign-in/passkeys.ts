import { randomUUID } from 'node:crypto';
import { getById } from '#src/accounts/accounts.js';
import type { AccountId } from '#src/kernel/ids.js';
import { addEmployees, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import {
  softwareAuthenticator,
  type CreationOptions,
  type RequestOptions,
  type SoftwareAuthenticator,
} from '../support/software-authenticator.js';
import type { House } from './house.js';

/** Somebody with a password and an authenticator app. */
export async function enrolled({ services }: Pick<House, 'services'>): Promise<Employee> {
  const [employee] = await addEmployees(services, { count: 1, state: 'enrolled' });
  if (employee === undefined) throw new Error('nobody was added');
  return employee;
}

/** Registers a new passkey as the program does it, without the account page. */
export async function addPasskey(
  { services, site }: Pick<House, 'services' | 'site'>,
  account: AccountId,
  options: { name?: string; synced?: boolean; uncounted?: boolean } = {},
): Promise<SoftwareAuthenticator> {
  const { name = 'Laptop kantor', ...kind } = options;
  const { db, passkeys } = services;
  const authenticator = softwareAuthenticator({ origin: site.origin, ...kind });
  await db.transaction(async (tx) => {
    const ceremony = randomUUID();
    const person = await getById(tx, account);
    const creation = (await passkeys.beginRegistration(tx, { account: person, ceremony })) as CreationOptions;
    const credential = authenticator.create(creation);
    const made = await passkeys.register(tx, { account: person, ceremony, credential, name, mayBind: true });
    if (made.kind !== 'registered') throw new Error(`the passkey was not registered: ${made.kind}`);
  });
  return authenticator;
}

/** Ends somebody's authenticator apps: passkeys are all they have. */
export async function endApps({ services }: Pick<House, 'services'>, account: AccountId): Promise<void> {
  await services.db.query(
    `UPDATE devices SET status = 'ended', ended_at = $2, ended_reason = 'removed', secret = NULL
      WHERE account_id = $1 AND kind = 'totp'`,
    [account, new Date()],
  );
}

const uidAt = ({ url }: Shown): string => url.pathname.split('/')[2] ?? '';

/** What the page's script fetches before it asks the authenticator. Throws when the page would be read anew. */
export async function challengeAt(browser: Person): Promise<RequestOptions> {
  const { status, body } = await browser.script(`/sign-in/${uidAt(browser.shown)}/passkey/challenge`);
  if (status !== 200) throw new Error(`no challenge: ${status}`);
  return JSON.parse(body) as RequestOptions;
}

/** Presses the button on the login page or the page for the second factor. */
export async function usePasskey(browser: Person, authenticator: SoftwareAuthenticator): Promise<Shown> {
  const credential = authenticator.get(await challengeAt(browser));
  return browser.submit('/passkey', { credential });
}
