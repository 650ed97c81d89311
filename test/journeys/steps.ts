import { totp } from '../support/totp.js';
import { attribute, attributes, type Person, type Shown } from '../support/person.js';
import { CAPTCHA, type TestSite } from '../support/site.js';

/** Good for everybody: meets every rule. */
export const PASSWORD = 'Kuda Zebra 7 lari-lari';

export const codeIn = (text: string): string => /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/.exec(text)?.[0] ?? '';

/** Walks *Reset Password (Lupa Password)* from its first page to the success notice. */
export async function resetPassword(
  site: TestSite,
  person: Person,
  who: { nip: string; email: string; password?: string; otp?: string },
): Promise<Shown> {
  await person.get('/reset/password');
  await person.submit('/reset/password', { username: who.nip, captcha: CAPTCHA });
  const asked = new Date();
  await person.submit('/reset/password/email', { email: who.email });
  const code = codeIn((await site.mailbox.next(who.email, asked, ({ text }) => codeIn(text) !== '')).text);
  const password = who.password ?? PASSWORD;
  return person.submit('/reset/password/code', {
    code,
    new_password: password,
    confirm_password: password,
    otp: who.otp ?? '',
  });
}

/** From the enrolment page to the address after it: a real authenticator reads the key, a person names it. */
export async function enrol(
  person: Person,
  deviceName = 'Ponsel kerja',
): Promise<{ secret: string; otp: string; codes: string[] }> {
  const secret = attribute(person.shown.html, 'data-secret') ?? '';
  const otp = totp(secret, new Date());
  await person.submit('/enrol', { otp, device_name: deviceName });
  const codes = attributes(person.shown.html, 'data-recovery-code');
  await person.submit('/recovery-codes', { saved: '1' });
  return { secret, otp, codes };
}
