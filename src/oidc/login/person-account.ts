import type { Account as ProviderAccount } from 'oidc-provider';
import { findById, isUsable, type Account } from '../../accounts/accounts.js';
import { rolesOf } from '../../accounts/roles.js';
import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import { personClaims } from '../tokens/claims.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { isLimited, missing, type Missing } from '../../clients/entitlement.js';
import { currentRequest, requestScope } from '../request-scope.js';
import { guarded } from '../unavailable.js';

/** An account as the provider knows it, with the credential epoch it had when this request read it. */
export interface LiveAccount extends ProviderAccount {
  readonly credEpoch: number;
}

export interface Accounts {
  /** Undefined when the account is unknown, inactive or frozen: its sessions and tokens are dead. */
  find(sub: string): Promise<LiveAccount | undefined>;
  /** The same for a token of a client: undefined too when the person may not use the client any more (R-17, A29). */
  findEntitled(sub: string, clientId: string): Promise<LiveAccount | undefined>;
  /** Whether a person may use a client; costs nothing for clients that are open to everyone. */
  mayUse(id: AccountId, clientId: string): Promise<boolean>;
  /** Which conditions of a client a person does not meet; none for somebody who may use it. */
  missing(id: AccountId, clientId: string): Promise<readonly Missing[]>;
  /** The whole person, read once in a request. */
  person(id: AccountId): Promise<Account | undefined>;
}

export function liveAccounts({ db, registry }: { db: Database; registry: ClientRegistry }): Accounts {
  const person = (id: AccountId): Promise<Account | undefined> => {
    const { people } = requestScope();
    let found = people.get(id);
    if (found === undefined) {
      found = guarded(() => findById(db, id));
      people.set(id, found);
    }
    return found;
  };
  const roleNames = async (id: AccountId): Promise<readonly string[]> => [
    ...new Set((await guarded(() => rolesOf(db, id))).map(({ role }) => role)),
  ];

  /** The credential epoch of an account that may be used. Usually known from the statement that read the session. */
  const epochOf = async (id: AccountId): Promise<number | undefined> => {
    const { accounts } = requestScope();
    if (accounts.has(id)) return accounts.get(id);
    const account = await person(id);
    const epoch = account !== undefined && isUsable(account) ? account.credEpoch : undefined;
    accounts.set(id, epoch);
    return epoch;
  };

  const missingAt = async (id: AccountId, clientId: string): Promise<readonly Missing[]> => {
    const x = registry.registration(clientId)?.x;
    if (x === undefined || !isLimited(x)) return [];
    const known = await person(id);
    if (known === undefined) return ['employment'];
    return missing(x, known, (x.allowed_roles?.length ?? 0) > 0 ? await roleNames(id) : []);
  };
  const isEntitled = async (id: AccountId, clientId: string): Promise<boolean> =>
    (await missingAt(id, clientId)).length === 0;

  const find: Accounts['find'] = async (sub) => {
    const id = accountId(sub);
    const credEpoch = await epochOf(id);
    if (credEpoch === undefined) return undefined;
    return {
      accountId: id,
      credEpoch,
      async claims(use, scope, asked) {
        const registration = registry.registration(currentRequest()?.oidc.client?.clientId ?? '');
        const wanted =
          registration === undefined ? [] : personClaims(registration, { use, scope, claims: Object.keys(asked) });
        if (wanted.length === 0) return { sub: id };
        const known = await person(id);
        if (known === undefined) return { sub: id };
        const roles = wanted.includes('roles') ? await roleNames(id) : [];
        return { sub: id, ...claimValues(known, roles, wanted) };
      },
    };
  };

  return {
    person,
    mayUse: isEntitled,
    missing: missingAt,
    find,
    findEntitled: async (sub, clientId) => ((await isEntitled(accountId(sub), clientId)) ? find(sub) : undefined),
  };
}

/** The claims of docs/CONTRACT, Tokens and claims. */
function claimValues(person: Account, roles: readonly string[], wanted: readonly string[]): Record<string, unknown> {
  const all: Record<string, unknown> = {
    name: person.name,
    preferred_username: person.nip,
    email: person.email,
    // Nobody has a password without having proved the mailbox, or its owner's, at activation.
    email_verified: person.email === undefined ? undefined : person.emailProved,
    nip: person.nip,
    employment: person.employment,
    agency: { code: person.agency.code, name: person.agency.name },
    roles,
  };
  return Object.fromEntries(wanted.flatMap((claim) => (all[claim] === undefined ? [] : [[claim, all[claim]]])));
}
