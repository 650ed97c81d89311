import type { Role } from '#src/accounts/role.js';
import { needsAgency } from '#src/accounts/role.js';
import { grantRole, revokeRole } from '#src/accounts/roles.js';
import { agencyCode } from '#src/kernel/ids.js';
import { openHouse, type House } from '../account/house.js';
import type { Settings } from '../sign-in/house.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';

/** The program with officers at its console. */
export interface ConsoleHouse extends House {
  /** Where the console is. */
  readonly console: string;
  /** Somebody new who holds a role, of REGENCY unless another agency is named. */
  officer(role: Role, agency?: string): Promise<Employee>;
  give(employee: Employee, role: Role, agency?: string): Promise<void>;
  take(employee: Employee, role: Role, agency?: string): Promise<void>;
  /** Opens a page of the console, logging in or proving the second factor on the way where that is asked. */
  open(employee: Employee, browser: Person, path?: string): Promise<Shown>;
  /** A browser in which this officer is at the console. */
  onDuty(employee: Employee): Promise<Person>;
}

/** Settings that put the console on an origin of its own. */
export const APART: Settings = (origin) => ({ ADMIN_ORIGIN: origin.replace('localhost', '127.0.0.1') });

export async function openConsoleHouse(settings: Settings = {}): Promise<ConsoleHouse> {
  const house = await openHouse(settings);
  const { services, time } = house;
  const { db, clock, config } = services;
  const grant = ({ id: accountId }: Employee, role: Role, agency = 'REGENCY') => ({
    accountId,
    role,
    agencyCode: needsAgency(role) ? agencyCode(agency) : undefined,
    now: clock.now(),
  });

  const self: ConsoleHouse = {
    ...house,
    console: config.adminOrigin,
    async officer(role, agency) {
      const officer = await house.somebody();
      await self.give(officer, role, agency);
      return officer;
    },
    async give(employee, role, agency) {
      await db.transaction((tx) => grantRole(tx, grant(employee, role, agency)));
    },
    async take(employee, role, agency) {
      await db.transaction((tx) => revokeRole(tx, grant(employee, role, agency)));
    },
    async open(employee, browser, path = '/helpdesk') {
      let shown = await browser.get(`${config.adminOrigin}${path}`);
      if (shown.page === 'sign-in/password') {
        shown = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
      }
      if (shown.page === 'sign-in/otp') {
        time.pass({ seconds: 31 });
        shown = await browser.submit('/otp', { otp: otpOf(employee) });
      }
      return shown;
    },
    async onDuty(employee) {
      const browser = house.browser();
      const shown = await self.open(employee, browser);
      if (shown.page?.startsWith('helpdesk/') !== true) throw new Error(`${shown.status} ${String(shown.page)}`);
      return browser;
    },
  };
  return self;
}
