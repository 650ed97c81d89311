import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import type { House } from '../sign-in/house.js';

/** Logs in on our own pages with password and one-time code, and ends on the launcher. */
export async function enterPortal(house: House, browser: Person, employee: Employee): Promise<Shown> {
  await browser.get(`${house.site.origin}/login`);
  await browser.submit('/password', { username: employee.nip, password: PASSWORD });
  house.time.pass({ seconds: 31 });
  return browser.submit('/otp', { otp: otpOf(employee) });
}

/** The link of a notice mail, as its path. */
export const disavowalIn = (text: string): string => /\/bukan-saya\/[\w-]{22}/.exec(text)?.[0] ?? 'no link';
