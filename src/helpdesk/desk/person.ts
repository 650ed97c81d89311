import { getById } from '../../accounts/accounts.js';
import { maskEmail } from '../../accounts/email.js';
import { openCasesOf } from '../../accounts/open-cases.js';
import type { OpenSession, OpenSessions } from '../../accounts/open-sessions.js';
import { passwordFailuresOf } from '../../accounts/password-waits.js';
import { rolesOf } from '../../accounts/roles.js';
import { trailOf } from '../../audit/trail.js';
import type { WrongCaptchas } from '../../captcha/wrong-captchas.js';
import { canProve, type Device } from '../../devices/device.js';
import type { Devices } from '../../devices/devices.js';
import type { RecoveryCodeSets } from '../../devices/recovery-code-sets.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import { lastMailTo } from '../../mail/last-mails.js';
import type { Guesses } from '../../mfa/guesses.js';
import type { WaitingResets } from '../../mfa/waiting-resets.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Database } from '../../storage/database.js';
import { networkOf } from '../../throttle/address.js';
import { findFailureWait } from '../../throttle/failures.js';
import { selectLastReset } from './acts-on-store.js';
import { attemptOf, ATTEMPT_TYPES } from './attempts.js';
import { decide } from './decide.js';
import type { PersonView, ShownDevice, ShownSession } from './desk.js';
import type { Attempt, Diagnosis } from './diagnosis.js';
import type { SeenPerson } from './person-store.js';

/** Sessions that are shown, and that are counted at most. */
const SESSIONS_SHOWN = 10;
const SESSIONS_COUNTED = 100;
/** Attempts that are shown, and that are looked at for the diagnosis. */
const ATTEMPTS_SHOWN = 10;
const ATTEMPTS_READ = 60;
const ATTEMPTS_DAYS = 30;

export interface PersonParts {
  readonly db: Database;
  readonly devices: Pick<Devices, 'activeOf'>;
  readonly recoveryCodeSets: Pick<RecoveryCodeSets, 'left'>;
  readonly guesses: Pick<Guesses, 'findWait'>;
  readonly waitingResets: Pick<WaitingResets, 'dueAt'>;
  /** A new address on its way. */
  readonly contactChangeOf: (accountId: AccountId) => Promise<PersonView['contactChange']>;
  readonly openSessions: Pick<OpenSessions, 'of'>;
  /** What kind of browser a header tells of, in coarse words. */
  readonly agentOf: (userAgent: string) => { readonly browser: string; readonly system: string };
  readonly wrongCaptchas: WrongCaptchas;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

const shownDevice = (device: Device): ShownDevice => ({
  id: device.id,
  kind: device.kind,
  name: device.name,
  addedAt: device.activatedAt,
  lastUsedAt: device.lastUsedAt,
  closed: !canProve(device),
});

/** Tells what an officer is shown of somebody whom they may look at. */
export function createPersonViews(parts: PersonParts) {
  const { db, devices, recoveryCodeSets, guesses, waitingResets, contactChangeOf, openSessions, wrongCaptchas } = parts;
  const { agentOf, keyed, clock } = parts;

  const shownSession = ({ userAgent, address, startedAt, lastSeenAt }: OpenSession): ShownSession => ({
    ...agentOf(userAgent),
    startedAt,
    lastSeenAt,
    network: networkOf(address),
  });

  const waits = async (id: AccountId) => ({
    password: await findFailureWait(db, { ...passwordFailuresOf(keyed, id), now: clock.now() }),
    code: await guesses.findWait(db, id),
  });

  async function attemptsOf(accountId: AccountId): Promise<readonly Attempt[]> {
    const since = secondsAfter(clock.now(), -ATTEMPTS_DAYS * 24 * 3600);
    const events = await trailOf(db, { accountId, types: ATTEMPT_TYPES, since, limit: ATTEMPTS_READ });
    return events.flatMap((event) => attemptOf(event) ?? []);
  }

  return {
    async view(seen: SeenPerson): Promise<PersonView> {
      const { id, nip, name, agency, employment, status, activatedAt, lastLoginAt } = seen;
      const { email, emailProved, hasPassword, passwordDisabled } = seen;
      const sessions = await openSessions.of(id, SESSIONS_COUNTED);
      const codes = await recoveryCodeSets.left(db, id);
      const wait = await waits(id);
      const dueAt = await waitingResets.dueAt(db, await getById(db, id));
      return {
        id,
        nip,
        name,
        agency,
        employment,
        status,
        activatedAt,
        lastLoginAt,
        devices: (await devices.activeOf(db, id)).map(shownDevice),
        recoveryCodes: codes && { left: codes.left, count: codes.count },
        sessions: sessions.slice(0, SESSIONS_SHOWN).map(shownSession),
        sessionCount: sessions.length,
        password: { isSet: hasPassword, isDisabled: passwordDisabled, waitUntil: wait.password },
        codeWaitUntil: wait.code,
        email: email === undefined ? undefined : { hint: maskEmail(email), proved: emailProved },
        lastMail: await lastMailTo(db, id),
        cases: await openCasesOf(db, id),
        waitingReset: dueAt && { dueAt },
        contactChange: await contactChangeOf(id),
        roles: (await rolesOf(db, id)).map(({ role, agency }) => ({ role, agency })),
      };
    },

    async diagnose(seen: SeenPerson): Promise<Diagnosis> {
      const { id, nip, accountName, status, email, emailProved, passwordDisabled } = seen;
      const bound = await devices.activeOf(db, id);
      const open = bound.filter(canProve).length;
      const wait = await waits(id);
      const attempts = await attemptsOf(id);
      const [main, ...others] = decide({
        status,
        hasEmail: email !== undefined,
        emailProved,
        factors: { open, closed: bound.length - open },
        passwordDisabled,
        lastReset: await selectLastReset(db, id),
        passwordWaitUntil: wait.password,
        codeWaitUntil: wait.code,
        lastMail: await lastMailTo(db, id),
        wrongCaptchas: await wrongCaptchas.countOf([nip, ...(accountName === undefined ? [] : [accountName])]),
        attempts,
        now: clock.now(),
      });
      return { main, others, attempts: attempts.slice(0, ATTEMPTS_SHOWN) };
    },
  };
}
