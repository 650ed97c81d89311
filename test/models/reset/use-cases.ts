import { randomUUID } from 'node:crypto';
import { setPassword } from '#src/accounts/accounts.js';
import { createNewPassword } from '#src/accounts/new-password.js';
import { secretContext } from '#src/devices/device.js';
import { createRecoveryCodeSets } from '#src/devices/recovery-code-sets.js';
import { attemptId, deviceId } from '#src/kernel/ids.js';
import { createEitherCode } from '#src/mfa/either-code.js';
import { createRecoveryCodes } from '#src/mfa/recovery-codes.js';
import { newSecret } from '#src/mfa/totp.js';
import { createPasswordChange } from '#src/reset/password-change.js';
import { createPasswordReset } from '#src/reset/password-reset.js';
import { createWeakPasswordReset } from '#src/reset/weak-password-reset.js';
import type { Database } from '#src/storage/database.js';
import type { Visitor } from '#src/throttle/visitor.js';
import { addAgencies, addPerson } from '../../accounts/people.js';
import { BEGIN, openParts } from '../parts.js';
import type { Driver, Person, TwoPeople } from './driver.js';
import { furnish } from './factors.js';
import { observe } from './observe.js';
import type { BrowserName } from './steps.js';

const OLD_PASSWORD = 'Badak Putih 3 mandi-lumpur';
const CODE = /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/;

/** The use-cases of reset over {@link openParts}. */
export async function openHouse(db: Database) {
  const parts = openParts(db);
  const { clock, keyed, box, passwords, audit, accountMail, codes, captchas, devices, tickets } = parts;
  const { endSessions, passwordCheck } = parts;
  const newPassword = createNewPassword({ endSessions, codes, accountMail, audit, clock });
  const passwordChange = createPasswordChange({ newPassword, tickets, audit });
  const recoveryCodes = createRecoveryCodes({ passwords, sets: createRecoveryCodeSets(clock) });
  const eitherCode = createEitherCode({ ...parts, recoveryCodes });
  const common = { db, devices, eitherCode, passwords, passwordChange };
  const reset = createPasswordReset({
    ...common,
    captchas,
    codes,
    accountMail,
    audit,
    keyed,
    clock,
    requiresOtp: true,
  });
  const weakReset = createWeakPasswordReset({ ...common, passwordCheck });
  await audit.prepare(db);
  await addAgencies(db);

  let numbered = 0;
  async function addTwo(): Promise<TwoPeople> {
    const add = async (): Promise<Person> => {
      numbered += 1;
      const nip = `1980${String(numbered).padStart(14, '0')}`;
      const email = `pegawai${numbered}@contoh.example`;
      const id = await addPerson(db, nip, { email });
      return { id, nip, email, secret: undefined, hasFactor: false, recoveryCodes: [], password: undefined };
    };
    const [enrolled, fresh] = [await add(), await add()];
    const account = enrolled.id as Parameters<typeof devices.activeOf>[1];
    const [secret, device] = [newSecret(), deviceId(randomUUID())];
    await db.transaction(async (tx) => {
      await setPassword(tx, { accountId: account, passwordHash: await passwords.hash(OLD_PASSWORD), now: clock.now() });
      const sealedSecret = box.seal(secret, secretContext(device));
      await devices.addPending(tx, { id: device, accountId: account, attempt: attemptId(device), sealedSecret });
      await devices.confirm(tx, { device, name: 'Ponsel', step: 1 });
    });
    const has = await furnish({ db, devices, recoveryCodes }, account, numbered / 2);
    const factors = { secret: has.hasApp ? secret : undefined, recoveryCodes: has.recoveryCodes, hasFactor: true };
    return { A: { ...enrolled, ...factors, password: OLD_PASSWORD }, B: fresh };
  }

  function driver(): Driver {
    clock.at = BEGIN;
    const visitorOf = (browser: BrowserName): Visitor => visitors[browser];
    const visitor = (number: number): Visitor => ({
      browserId: `${numbered}-${number}`,
      address: `10.${number}.${(numbered >> 8) % 256}.${numbered % 256}`,
      knownBrowser: undefined,
      agent: { browser: 'Chrome', system: 'Android' },
      locale: 'id',
      requestId: 'request',
    });
    const visitors = { 0: visitor(0), 1: visitor(1) };
    const kind = (answer: { kind: string }) => (answer.kind === 'throttled' ? 'throttled' : 'other');
    return {
      now: () => clock.at,
      wait(minutes) {
        clock.at += minutes * 60_000;
      },
      async captcha(browser) {
        const addressBucket = keyed('address', visitorOf(browser).address);
        return (await captchas.issue({ browser: visitorOf(browser).browserId, addressBucket })).id;
      },
      async start(browser, { nip, captcha, answer }) {
        const typed = { username: nip, captchaId: captcha, captcha: answer, attemptUid: undefined };
        const started = await reset.start(typed, visitorOf(browser));
        return started.kind === 'started' ? started.flowId : undefined;
      },
      email: async (browser, flow, typed) => kind(await reset.submitEmail(flow, typed, visitorOf(browser))),
      resend: async (browser, flow) => kind(await reset.resend(flow, visitorOf(browser))),
      async code(browser, flow, typed) {
        await reset.submitCode(flow, typed, visitorOf(browser));
      },
      async weak(browser, username, { old, password, confirmation, otp: code }) {
        const typed = { username, password: old, newPassword: password, confirmation, otp: code };
        await weakReset.submit(typed, visitorOf(browser));
      },
      async open(browser, flow) {
        await reset.view(flow, visitorOf(browser));
      },
      async codesMailed() {
        return (await parts.takeMails()).flatMap(({ to, text }) => {
          const code = CODE.exec(text)?.[0];
          return code === undefined ? [] : [{ to, code }];
        });
      },
      observe: (people) => observe(db, people),
      async isPassword(id, password) {
        const [row] = await db.query('SELECT password_hash FROM credentials WHERE account_id = $1', [id]);
        return (await passwords.verify(row?.password_hash as string | undefined, password)).kind === 'match';
      },
      // No browser here: `observe` has seen that there are no sessions.
      requireNobodySignedIn: () => Promise.resolve(),
    };
  }

  return { addTwo, driver };
}
