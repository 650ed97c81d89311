import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '#src/config/load.js';
import type { EndpointStyle } from '#src/oidc/endpoints.js';
import { addAgencies } from '../../accounts/people.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../../support/employees.js';
import { openPerson, type Person, type Shown } from '../../support/person.js';
import { startSite, type TestSite } from '../../support/site.js';
import { navigate } from './navigate.js';
import { makeTemporaryFolder } from '../../support/temporary-folder.js';

/** The whole program with the registrations of a test, for relying parties that are programs of their own. */
export interface PartySite {
  readonly site: TestSite;
  readonly issuer: string;
  /** Somebody with a password and an authenticator, whose codes nobody has used. */
  person(): Promise<Employee>;
  /** A browser that goes wherever it is sent, on this machine; from an address of its own, where proxies are trusted. */
  browser(options?: { readonly stopsAtParties: boolean }): Person;
  stop(): Promise<void>;
}

export interface PartySiteOptions {
  readonly style?: EndpointStyle;
  readonly registrations: readonly object[];
  readonly settings?: Environment;
}

/** Time goes on as it does: relying parties outside of this process compare it with their own. */
export async function startPartySite({
  style = 'standard',
  registrations,
  settings = {},
}: PartySiteOptions): Promise<PartySite> {
  const folder = await makeTemporaryFolder('sso-asn-parties-');
  const clientsFile = join(folder, 'clients.json');
  await writeFile(clientsFile, JSON.stringify(registrations));
  const pathOfIssuer = style === 'keycloak' ? '/realms/asn' : '';
  const site = await startSite((origin) =>
    Promise.resolve({
      CLIENTS_FILE: clientsFile,
      DEMO: 'false',
      ISSUER: `${origin}${pathOfIssuer}`,
      ENDPOINT_STYLE: style,
      ...settings,
    }),
  );
  await addAgencies(site.running.services.db);
  let browsers = 0;
  return {
    site,
    issuer: `${site.origin}${pathOfIssuer}`,
    async person() {
      const [added] = await addEmployees(site.running.services, { count: 1, state: 'enrolled' });
      if (added === undefined) throw new Error('nobody was added');
      return added;
    },
    browser({ stopsAtParties } = { stopsAtParties: false }) {
      browsers += 1;
      return openPerson(site.origin, {
        ask: navigate,
        headers: { 'x-forwarded-for': `203.0.113.${browsers}` },
        ...(stopsAtParties ? { stopAt: ({ origin }: URL) => origin !== site.origin } : {}),
      });
    },
    async stop() {
      await site.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** From the password page that the browser shows, as this person, to wherever the login leads. */
export async function signIn(browser: Person, person: Employee): Promise<Shown> {
  await browser.submit('/password', { username: person.nip, password: PASSWORD });
  return browser.submit('/otp', { otp: otpOf(person) });
}

/** *Keluar* at a relying party leads to a page of ours that asks; the person says yes. */
export async function confirmLogout(browser: Person, address: string): Promise<Shown> {
  const asked = await browser.get(address);
  if (asked.page !== 'sign-out/confirm') throw new Error(`no question, but ${String(asked.page)} ${asked.url.href}`);
  return browser.submit('/confirm');
}
