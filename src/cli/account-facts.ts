import type { Account } from '../accounts/accounts.js';
import { displayNip } from '../accounts/nip.js';
import { openCasesOf } from '../accounts/open-cases.js';
import { rolesOf } from '../accounts/roles.js';
import type { Services } from '../container.js';
import { moment } from './moment.js';

/** The longest label. */
export const LABEL_WIDTH = 'recovery codes'.length;

type Fact = readonly [label: string, value: string];

type FactServices = Pick<
  Services,
  'db' | 'devices' | 'guesses' | 'recoveryCodeSets' | 'waitingResets' | 'contactChanges'
>;

const KINDS = { totp: 'app', passkey: 'passkey' };
const CASES = {
  disavowed: 'the person chose "Bukan saya"',
  frozen_by_operator: 'frozen by an operator',
  mfa_reset_waiting: 'a reset of MFA waits',
};
const CHANGES = {
  asked: 'asked for by the person, code not typed yet',
  waiting: 'entered by an operator, may be used from',
  invited: 'entered by an operator, not proved yet, open since',
};

const momentOr = (at: Date | undefined, none: string): string => (at === undefined ? none : moment(at));

/** Values one below the other, under one label. */
const listed = (label: string, values: readonly string[], none: string): Fact[] =>
  (values.length === 0 ? [none] : values).map((value, index) => [index === 0 ? label : '', value]);

/** Why no one-time code is accepted now, or that one is. */
function codeState(account: Account, { hasApp, waitUntil }: { hasApp: boolean; waitUntil: Date | undefined }): string {
  if (account.frozen) return 'refused: the account is frozen';
  if (account.status !== 'active') return 'refused: the account is inactive';
  if (!hasApp) return 'none: no app whose codes are accepted';
  return waitUntil === undefined ? 'may be typed' : `refused until ${moment(waitUntil)}`;
}

/** Everything an operator needs to know of an account before they do something; no secrets. */
export async function accountFacts(services: FactServices, account: Account): Promise<readonly Fact[]> {
  const { db, devices, guesses, recoveryCodeSets, waitingResets, contactChanges } = services;
  const active = await devices.activeOf(db, account.id);
  const codes = await recoveryCodeSets.left(db, account.id);
  const resetDueAt = await waitingResets.dueAt(db, account);
  const { change } = await contactChanges.view(account.id);
  const hasApp = active.some(({ kind, closedAt }) => kind === 'totp' && closedAt === undefined);
  const password = account.passwordDisabled ? 'disabled after too many failures' : 'set';
  return [
    ['id', account.id],
    ['NIP', displayNip(account.nip)],
    ['account name', account.accountName ?? 'none'],
    ['name', account.name],
    ['e-mail', account.email ?? 'none'],
    ['employment', account.employment],
    ['agency', `${account.agency.name} (${account.agency.code})`],
    ['status', account.frozen ? `${account.status}, frozen` : account.status],
    ['activated', momentOr(account.activatedAt, 'never')],
    ['last login', momentOr(account.lastLoginAt, 'never')],
    ['password', account.passwordHash === undefined ? 'none' : password],
    ['failures', String(account.passwordFailures)],
    ...listed(
      'MFA',
      active.map(({ kind, name, activatedAt, closedAt }) => {
        const closed = closedAt !== undefined ? ', closed: too many wrong codes' : '';
        return `${KINDS[kind]} ${name}, since ${momentOr(activatedAt, 'unknown')}${closed}`;
      }),
      'not active',
    ),
    ['one-time code', codeState(account, { hasApp, waitUntil: await guesses.findWait(db, account.id) })],
    [
      'recovery codes',
      codes === undefined ? 'none' : `${codes.left} of ${codes.count} left, made ${moment(codes.createdAt)}`,
    ],
    ['MFA reset', resetDueAt === undefined ? 'none waits' : `waits, takes effect from ${moment(resetDueAt)}`],
    [
      'new e-mail',
      change === undefined
        ? 'none waits'
        : `${CHANGES[change.state]}${change.state === 'asked' ? '' : ` ${moment(change.opensAt)}`}`,
    ],
    ...listed(
      'cases',
      (await openCasesOf(db, account.id)).map(({ cause, since }) => `${CASES[cause]}, since ${moment(since)}`),
      'none open',
    ),
    ...listed(
      'roles',
      (await rolesOf(db, account.id)).map(({ role, agency }) => (agency ? `${role} of ${agency.code}` : role)),
      'none',
    ),
  ];
}
