import { randomUUID } from 'node:crypto';
import { secretContext } from '#src/devices/device.js';
import { attemptId, deviceId, type DeviceId } from '#src/kernel/ids.js';
import { newSecret } from '#src/mfa/totp.js';
import { openHouse as openSignInHouse, type House as SignInHouse, type Settings } from '../sign-in/house.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { totp } from '../support/totp.js';

/** An authenticator in somebody's hand. */
export interface Phone {
  readonly id: DeviceId;
  readonly name: string;
  readonly secret: string;
}

/** The program, with people who are logged in on its own pages. */
export interface House extends SignInHouse {
  /** Somebody new with one authenticator, `Ponsel`. */
  somebody(): Promise<Employee>;
  /** Logs in on our own pages with a fresh code, in a browser of its own unless given, up to the launcher. */
  enter(employee: Employee, browser?: Person): Promise<Person>;
  /** Gives somebody one more authenticator, as the program would have written it. */
  addPhone(employee: Employee, name: string): Promise<Phone>;
  /** Names of the active authenticators, oldest first. */
  deviceNames(employee: Employee): Promise<string[]>;
  idOf(employee: Employee, name: string): Promise<string>;
  /** What an authenticator shows now. */
  shows(secret: string): string;
}

export async function openHouse(settings: Settings = {}): Promise<House> {
  const house = await openSignInHouse(settings);
  const { services, time } = house;
  return {
    ...house,
    async somebody() {
      const [one] = await addEmployees(services, { count: 1, state: 'enrolled' });
      if (one === undefined) throw new Error('nobody was added');
      return one;
    },
    async enter(employee, browser = house.browser()) {
      await browser.get('/login');
      if (browser.shown.page === 'sign-in/password') {
        await browser.submit('/password', { username: employee.nip, password: PASSWORD });
      }
      time.pass({ seconds: 31 });
      const shown = await browser.submit('/otp', { otp: otpOf(employee) });
      if (shown.page !== 'launcher') throw new Error(`${shown.status} ${shown.page ?? ''} instead of the launcher`);
      return browser;
    },
    async addPhone({ id: accountId }, name) {
      const phone = { id: deviceId(randomUUID()), name, secret: newSecret() };
      time.pass({ seconds: 1 });
      const sealedSecret = services.box.seal(phone.secret, secretContext(phone.id));
      await services.db.transaction(async (tx) => {
        await services.devices.addPending(tx, { id: phone.id, accountId, attempt: attemptId(phone.id), sealedSecret });
        await services.devices.confirm(tx, { device: phone.id, name, step: 1 });
      });
      return phone;
    },
    deviceNames: async ({ id }) => (await services.devices.activeOf(services.db, id)).map(({ name }) => name),
    async idOf({ id }, name) {
      const found = (await services.devices.activeOf(services.db, id)).find((device) => device.name === name);
      if (found === undefined) throw new Error(`there is no ${name}`);
      return found.id;
    },
    shows: (secret) => totp(secret, time.now()),
  };
}

/** A form on the page shown, to be posted as it is: also several times at once. */
export function formOn({ shown }: Person, action: string): { path: string; csrf: string } {
  const form = new RegExp(`<form method="post" action="${action}">[\\s\\S]*?</form>`).exec(shown.html)?.[0];
  if (form === undefined) throw new Error(`no form "${action}" on ${shown.url.pathname}`);
  return { path: new URL(action, shown.url).href, csrf: attribute(form, 'value') ?? '' };
}

/** The key on the page. */
export function keyOn({ html, page }: Shown): string {
  const secret = attribute(html, 'data-secret');
  if (secret === undefined) throw new Error(`no key on ${page ?? 'no page'}`);
  return secret;
}
