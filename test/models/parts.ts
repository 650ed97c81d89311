import { randomBytes } from 'node:crypto';
import { sampleHashForms } from '#src/accounts/hash-forms-store.js';
import { createPasswordCheck } from '#src/accounts/password-check.js';
import { createAudit } from '#src/audit/audit.js';
import { captchas as createCaptchas } from '#src/captcha/captchas.js';
import { createMailedCodes } from '#src/codes/mailed-codes.js';
import { createDevices } from '#src/devices/devices.js';
import { createEnrolmentTickets } from '#src/devices/enrolment-tickets.js';
import { createMetrics } from '#src/metrics/metrics.js';
import { createGuesses } from '#src/mfa/guesses.js';
import { createOtpCheck } from '#src/mfa/otp.js';
import { createWrongCodes } from '#src/mfa/wrong-codes.js';
import { createOutbox, sealContext } from '#src/outbox/outbox.js';
import { createDecoyHashes } from '#src/security/decoy-hashes.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { openInProcess } from '#src/storage/in-process.js';
import { addressGuard } from '#src/throttle/address-guard.js';
import { createKnownBrowsers } from '#src/throttle/known-browsers.js';
import { accountMailWith } from '../support/account-mail.js';
import { endSessions } from '../support/end-sessions.js';
import { keyedPasswords } from '../support/keyed-passwords.js';
import { CAPTCHA } from '../support/site.js';

/** When every sequence begins. */
export const BEGIN = new Date('2026-11-23T00:30:00Z').getTime();

/** All real parts that the resets are made of, on a database of their own; only the slow hash is a fast one. */
export function openParts(db: Database) {
  const clock = { at: BEGIN, now: () => new Date(clock.at) };
  const keyed = createKeyedDigest(randomBytes(32));
  const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
  const passwords = keyedPasswords();
  const keyValue = openInProcess(clock);
  const audit = createAudit(clock);
  const outbox = createOutbox({ box, clock });
  const accountMail = accountMailWith({ box, clock });
  const codes = createMailedCodes({ keyed });
  const captchas = createCaptchas({ keyValue, clock, testAnswer: CAPTCHA });
  const devices = createDevices(clock);
  const tickets = createEnrolmentTickets({ keyed, clock });
  const guesses = createGuesses({ keyed, clock });
  const otp = createOtpCheck({ devices, guesses, box, clock, metrics: createMetrics() });
  const wrongCodes = createWrongCodes({ devices, guesses, endSessions, accountMail, audit, clock });
  const knownBrowsers = createKnownBrowsers(keyed);
  const addresses = addressGuard({ keyValue, clock });
  const passwordCheck = createPasswordCheck({
    db,
    passwords,
    decoys: createDecoyHashes({ keyed, sample: () => sampleHashForms(db) }),
    addresses,
    knownBrowsers,
    accountMail,
    audit,
    keyed,
    clock,
  });

  /** What was mailed since it was asked last. */
  async function takeMails(): Promise<
    readonly { readonly to: string; readonly mail: string; readonly text: string }[]
  > {
    const rows = await db.query(`DELETE FROM outbox WHERE kind = 'mail' RETURNING id, payload`);
    return rows.map(({ id, payload }) => {
      const opened = box.open(payload as string, sealContext(id as string)).toString();
      const { to, mail, text } = JSON.parse(opened) as { to: { address: string }; mail: string; text: string };
      return { to: to.address, mail, text };
    });
  }

  return {
    db,
    clock,
    keyed,
    box,
    passwords,
    audit,
    outbox,
    accountMail,
    codes,
    captchas,
    devices,
    tickets,
    guesses,
    otp,
    wrongCodes,
    endSessions,
    knownBrowsers,
    passwordCheck,
    takeMails,
  };
}
