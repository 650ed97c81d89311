import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { openPerson, type Person } from '../support/person.js';
import type { House } from '../sign-in/house.js';

export const ANDROID =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36';
export const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0';

let opened = 0;

/** A browser at an address of its own that tells what it is. */
export function browserCalled(house: House, userAgent: string): Person {
  opened += 1;
  const headers = { 'x-forwarded-for': `10.8.0.${opened}`, 'user-agent': userAgent };
  return openPerson(house.site.origin, { headers, stopAt: (url) => url.origin !== house.site.origin });
}

/** Logs in on our own pages, to the launcher. */
export async function enter(
  house: House,
  employee: Employee,
  browser = house.browser(),
  password = PASSWORD,
): Promise<Person> {
  await browser.get('/login');
  await browser.submit('/password', { username: employee.nip, password });
  // Each code once.
  house.time.pass({ seconds: 31 });
  const shown = await browser.submit('/otp', { otp: otpOf(employee) });
  if (shown.page !== 'launcher') throw new Error(`${shown.status} ${shown.page ?? ''} instead of the launcher`);
  return browser;
}
