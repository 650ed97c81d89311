import { randomBytes, randomUUID } from 'node:crypto';
import { setPassword } from '#src/accounts/accounts.js';
import { createPasswordCheck } from '#src/accounts/password-check.js';
import { createNewPassword } from '#src/accounts/new-password.js';
import { createAudit } from '#src/audit/audit.js';
import { captchas as createCaptchas } from '#src/captcha/captchas.js';
import { createMailedCodes } from '#src/codes/mailed-codes.js';
import { secretContext } from '#src/devices/device.js';
import { createDevices } from '#src/devices/devices.js';
import { createEnrolmentTickets } from '#src/devices/enrolment-tickets.js';
import { attemptId, deviceId } from '#src/kernel/ids.js';
import { createGuesses } from '#src/mfa/guesses.js';
import { createOtpCheck } from '#src/mfa/otp.js';
import { newSecret } from '#src/mfa/totp.js';
import { createWrongCodes } from '#src/mfa/wrong-codes.js';
import { sealContext } from '#src/outbox/outbox.js';
import { createPasswordChange } from '#src/reset/password-change.js';
import { createPasswordReset } from '#src/reset/password-reset.js';
import { createWeakPasswordReset } from '#src/reset/weak-password-reset.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { openInProcess } from '#src/storage/in-process.js';
import { addressGuard } from '#src/throttle/address-guard.js';
import { createKnownBrowsers } from '#src/throttle/known-browsers.js';
import type { Visitor } from '#src/throttle/visitor.js';
import { addAgencies, addPerson } from '../../accounts/people.js';
import { accountMailWith } from '../../support/account-mail.js';
import { endSessions } from '../../support/end-sessions.js';
import { keyedPasswords } from '../../support/keyed-passwords.js';
import { CAPTCHA } from '../../support/site.js';
import type { Driver, Person, TwoPeople } from './driver.js';
import { observe } from './observe.js';
import type { BrowserName } from './steps.js';

const BEGIN = new Date('2026-11-23T00:30:00Z').getTime();
const OLD_PASSWORD = 'Badak Putih 3 mandi-lumpur';
const CODE = /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/;

/** The use-cases of reset with all their real parts on a database of their own; only the slow hash is a fast one. */
export async function openHouse(db: Database) {
  const clock = { at: BEGIN, now: () => new Date(clock.at) };
  const keyed = createKeyedDigest(randomBytes(32));
  const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
  const passwords = keyedPasswords();
  const keyValue = openInProcess(clock);
  const audit = createAudit(clock);
  const accountMail = accountMailWith({ box, clock });
  const codes = createMailedCodes({ keyed });
  const captchas = createCaptchas({ keyValue, clock, testAnswer: CAPTCHA });
  const devices = createDevices(clock);
  const tickets = createEnrolmentTickets({ keyed, clock });
  const guesses = createGuesses({ keyed, clock });
  const otp = createOtpCheck({ devices, guesses, box, clock });
  const wrongCodes = createWrongCodes({ devices, guesses, endSessions, accountMail, audit, clock });
  const knownBrowsers = createKnownBrowsers(keyed);
  const addresses = addressGuard({ keyValue, clock });
  const passwordCheck = createPasswordCheck({
    db,
    passwords,
    addresses,
    knownBrowsers,
    accountMail,
    audit,
    keyed,
    clock,
  });
  const newPassword = createNewPassword({ endSessions, codes, accountMail, audit, clock });
  const passwordChange = createPasswordChange({ newPassword, tickets, audit });
  const common = { db, devices, otp, wrongCodes, passwords, passwordChange, audit };
  const reset = createPasswordReset({ ...common, captchas, codes, accountMail, keyed, clock, requiresOtp: true });
  const weakReset = createWeakPasswordReset({ ...common, passwordCheck });
  await audit.prepare(db);
  await addAgencies(db);

  let numbered = 0;
  async function addTwo(): Promise<TwoPeople> {
    const add = async (): Promise<Person> => {
      numbered += 1;
      const nip = `1980${String(numbered).padStart(14, '0')}`;
      const email = `pegawai${numbered}@contoh.example`;
      return { id: await addPerson(db, nip, { email }), nip, email, secret: undefined, password: undefined };
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
    return { A: { ...enrolled, secret, password: OLD_PASSWORD }, B: fresh };
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
        const rows = await db.query(`DELETE FROM outbox WHERE kind = 'mail' RETURNING id, payload`);
        return rows.flatMap(({ id, payload }) => {
          const opened = box.open(payload as string, sealContext(id as string)).toString();
          const { to, text } = JSON.parse(opened) as { to: { address: string }; text: string };
          const code = CODE.exec(text)?.[0];
          return code === undefined ? [] : [{ to: to.address, code }];
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
