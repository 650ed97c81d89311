import { randomUUID } from 'node:crypto';
import { changePassword, findById, getById, setPassword } from '#src/accounts/accounts.js';
import { createResetCases } from '#src/accounts/reset-cases.js';
import { secretContext } from '#src/devices/device.js';
import { createRecoveryCodeSets } from '#src/devices/recovery-code-sets.js';
import { accountId, attemptId, deviceId, type AccountId } from '#src/kernel/ids.js';
import { createOwnReset } from '#src/mfa/own-reset.js';
import { createRecoveryCodes } from '#src/mfa/recovery-codes.js';
import { newSecret } from '#src/mfa/totp.js';
import { createWaitingResets } from '#src/mfa/waiting-resets.js';
import { createSelfReset } from '#src/reset/mfa/self-reset.js';
import type { Database } from '#src/storage/database.js';
import { createMailsAfterPassword } from '#src/throttle/mails-after-password.js';
import type { Visitor } from '#src/throttle/visitor.js';
import { addAgencies, addPerson } from '../../accounts/people.js';
import { BEGIN, openParts } from '../parts.js';
import type { DeviceState } from './rules.js';
import type { BrowserName, Who } from './steps.js';

export const PASSWORD = 'Badak Putih 3 mandi-lumpur';
const CODE = /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/;
const LINK = /\/reset\/mfa\/stop\/(\w+)/;

export interface ModelPerson {
  readonly id: AccountId;
  readonly nip: string;
  email: string;
  readonly devices: readonly Pick<DeviceState, 'id' | 'secret'>[];
  readonly codes: readonly string[];
}

export type TwoPeople = Readonly<Record<Who, ModelPerson>>;

/** The use-case of *Reset MFA* with all its real parts; the slow hash is a fast one. */
export async function openHouse(db: Database) {
  const parts = openParts(db);
  const { clock, keyed, box, passwords, audit, outbox, accountMail, codes, captchas, devices, passwordCheck } = parts;
  const ownReset = createOwnReset(parts);
  const waitingResets = createWaitingResets({
    db,
    ownReset,
    outbox,
    accountMail,
    audit,
    keyed,
    clock,
    cases: createResetCases(clock),
    waitSeconds: 24 * 3600,
    origin: 'https://sso.contoh.test',
  });
  const recoveryCodes = createRecoveryCodes({ passwords, sets: createRecoveryCodeSets(clock) });
  const nowhere = () => Promise.resolve(undefined);
  const selfReset = createSelfReset({
    ...parts,
    codes,
    recoveryCodes,
    ownReset,
    waitingResets,
    wayBack: { find: nowhere, startOf: nowhere },
    mails: createMailsAfterPassword(parts, 'mfa reset'),
  });
  await audit.prepare(db);
  await addAgencies(db);
  const passwordHash = await passwords.hash(PASSWORD);

  let numbered = 0;
  async function addOne(deviceCount: number): Promise<ModelPerson> {
    numbered += 1;
    const nip = `1980${String(numbered).padStart(14, '0')}`;
    const email = `pegawai${numbered}@contoh.example`;
    const id = accountId(await addPerson(db, nip, { email }));
    const made = Array.from({ length: deviceCount }, () => ({ id: deviceId(randomUUID()), secret: newSecret() }));
    const prepared = await recoveryCodes.prepare();
    await db.transaction(async (tx) => {
      await setPassword(tx, { accountId: id, passwordHash, now: clock.now() });
      for (const [index, device] of made.entries()) {
        const sealedSecret = box.seal(device.secret, secretContext(device.id));
        await devices.addPending(tx, { id: device.id, accountId: id, attempt: attemptId(device.id), sealedSecret });
        await devices.confirm(tx, { device: device.id, name: `Ponsel ${index + 1}`, step: 1 });
      }
      await recoveryCodes.issue(tx, id, prepared);
    });
    return { id, nip, email, devices: made, codes: prepared.codes };
  }

  function driver(people: TwoPeople) {
    clock.at = BEGIN;
    const visitor = (number: BrowserName): Visitor => ({
      browserId: `${numbered}-${number}`,
      address: `10.${number}.${(numbered >> 8) % 256}.${numbered % 256}`,
      knownBrowser: undefined,
      agent: { browser: 'Chrome', system: 'Android' },
      locale: 'id',
      requestId: 'request',
    });
    return {
      now: () => clock.at,
      wait(minutes: number) {
        clock.at += minutes * 60_000;
      },
      async captcha(browser: BrowserName) {
        const addressBucket = keyed('address', visitor(browser).address);
        return (await captchas.issue({ browser: visitor(browser).browserId, addressBucket })).id;
      },
      start: (
        browser: BrowserName,
        typed: { way: 'factor' | 'wait'; nip: string; password: string; captchaId: string; captcha: string },
      ) => selfReset.start({ ...typed, username: typed.nip, attemptUid: undefined }, visitor(browser)),
      view: (browser: BrowserName, flow: string) => selfReset.view(flow, visitor(browser)),
      otp: (browser: BrowserName, flow: string, typed: { otp: string; lost: string }) =>
        selfReset.submitOtp(flow, typed, visitor(browser)),
      recovery: (browser: BrowserName, flow: string, code: string) =>
        selfReset.submitRecoveryCode(flow, code, visitor(browser)),
      code: (browser: BrowserName, flow: string, code: string) => selfReset.submitCode(flow, code, visitor(browser)),
      resend: (browser: BrowserName, flow: string) => selfReset.resend(flow, visitor(browser)),
      stopByLink: (token: string) => waitingResets.stopByLink(token, visitor(0)),
      stop: (who: Who, by: 'person' | 'login') =>
        waitingResets.stop({ accountId: people[who].id, by, trace: visitor(0) }),
      /** What the login page does with a password: judges it, and lets a reset that is due take effect. */
      async login(who: Who, password: string) {
        const verdict = await passwordCheck.check({ username: people[who].nip, password }, visitor(0));
        if (verdict.kind !== 'accepted') return verdict.kind;
        await db.transaction(verdict.accept);
        await waitingResets.complete({ account: verdict.account, trace: visitor(0) });
        return verdict.kind;
      },
      /** A code of the authenticator, as a login spends it. */
      spend: (who: Who, otp: string) =>
        db.transaction((tx) => parts.otp.check(tx, { accountId: people[who].id, typed: otp })),
      async change(who: Who, what: 'password' | 'address' | 'frozen' | 'thawed' | 'closed') {
        const { id } = people[who];
        if (what === 'closed') {
          // As the fiftieth wrong code in a row does, wherever it is typed.
          const account = await getById(db, id);
          await db.transaction((tx) => parts.wrongCodes.follow(tx, { account, failures: 50, trace: visitor(0) }));
          return;
        }
        if (what === 'password') {
          const account = await findById(db, id);
          await changePassword(db, {
            accountId: id,
            passwordHash,
            credEpoch: account?.credEpoch ?? -1,
            now: clock.now(),
          });
        } else if (what === 'address') {
          people[who].email = `baru-${randomUUID()}@contoh.example`;
          await db.query('UPDATE accounts SET email = $2 WHERE id = $1', [id, people[who].email]);
        } else {
          const at = what === 'frozen' ? clock.now() : null;
          await db.query('UPDATE accounts SET frozen_at = $2 WHERE id = $1', [id, at]);
        }
      },
      /** Codes and links mailed since it was asked last. */
      async mailed() {
        const mails = await parts.takeMails();
        return mails.map(({ to, text }) => ({ to, code: CODE.exec(text)?.[0], link: LINK.exec(text)?.[1] }));
      },
      /** What of each person's factors lives: devices by id, and how many recovery codes. */
      async observe(): Promise<Record<Who, { devices: readonly string[]; codes: number }>> {
        const rows = await db.query(
          `SELECT a.id,
                  ARRAY(SELECT d.id::text FROM devices d WHERE d.account_id = a.id AND d.status = 'active' ORDER BY d.id) AS devices,
                  (SELECT count(*)::integer FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id
                    WHERE s.account_id = a.id AND s.ended_at IS NULL AND c.spent_at IS NULL) AS codes
             FROM accounts a WHERE a.id = ANY ($1::uuid[])`,
          [[people.A.id, people.B.id]],
        );
        const of = (id: string) => {
          const row = rows.find((each) => each.id === id);
          return { devices: row?.devices as string[], codes: row?.codes as number };
        };
        return { A: of(people.A.id), B: of(people.B.id) };
      },
    };
  }

  return {
    parts,
    waitingResets,
    driver,
    addTwo: async (): Promise<TwoPeople> => ({ A: await addOne(2), B: await addOne(1) }),
  };
}

export type ModelDriver = ReturnType<Awaited<ReturnType<typeof openHouse>>['driver']>;
