import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { Environment } from '#src/config/load.js';
import type { Services } from '#src/container.js';
import { addAgencies } from '../accounts/people.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import type { ReceivedMail } from '../support/mailbox.js';
import { SCREEN } from '../support/device-client.js';
import { openPerson, type Person, type Shown } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { startSite, type TestSite } from '../support/site.js';
import { stopTime, type StoppedTime } from '../support/stopped-time.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { totp } from '../support/totp.js';

const REDIRECT_URI = 'http://127.0.0.1:9/callback';
const CODE = /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/;
const SECRET = 'a-shared-secret-of-forty-characters-long';

/** An ordinary service, and one that wants a second factor not older than five minutes. */
export const PLAIN = 'plain';
export const FRESH = 'fresh';

const registration = (id: string, more: object = {}): object => ({
  client_id: id,
  client_name: `Layanan ${id}`,
  redirect_uris: [REDIRECT_URI],
  token_endpoint_auth_method: 'client_secret_basic',
  client_secret: SECRET,
  ...more,
});

const REGISTRATIONS = [
  registration(PLAIN, { x: { launch_uri: 'http://127.0.0.1:9/start' } }),
  registration(FRESH, { x: { launch_uri: 'http://127.0.0.1:9/fresh', max_age_seconds: 300, acr: 'urn:asn:aal2' } }),
  SCREEN,
];

/** An authorization request and what redeems its code. */
export interface Asking {
  readonly path: string;
  readonly clientId: string;
  readonly verifier: string;
}

/** The claims of an ID token that tell how somebody logged in. */
export interface LoginClaims extends JWTPayload {
  readonly acr: string;
  readonly amr: readonly string[];
  readonly auth_time: number;
  readonly sid: string;
}

/** The program with two services that are not played by it; the time stands still. */
export interface House {
  readonly site: TestSite;
  readonly services: Services;
  readonly time: StoppedTime;
  /** A browser at an address of its own. */
  browser(headers?: Readonly<Record<string, string>>): Person;
  ask(clientId?: string, more?: Readonly<Record<string, string>>): Asking;
  /** The code at the address that a browser was sent to, when it was sent back to a service with one. */
  codeOf(address: URL | string): string | undefined;
  redeem(asking: Asking, code: string): Promise<LoginClaims>;
  /** Has a service send a browser to us: to the login page, or straight back with a code. */
  begin(browser: Person, clientId?: string): Promise<{ readonly asking: Asking; readonly shown: Shown }>;
  /** From the service to the page for the one-time code. */
  toOtp(browser: Person, employee: Employee, clientId?: string): Promise<Asking>;
  /** A whole login with a fresh code, to what the service is told. */
  logIn(browser: Person, employee: Employee, clientId?: string): Promise<LoginClaims>;
  /** What a service is told on the page that the browser has come to. */
  claimsAt(shown: Shown, asking: Asking): Promise<LoginClaims>;
  /** The mail to somebody that was sent for what `ask` does: of that kind, where an earlier one may come late. */
  mailOf(
    employee: Employee,
    ask: () => Promise<unknown>,
    isWanted?: (mail: ReceivedMail) => boolean,
  ): Promise<ReceivedMail>;
  /** The code mailed to somebody for what `ask` does. */
  codeFor(employee: Pick<Employee, 'email'>, ask: () => Promise<unknown>): Promise<string>;
  close(): Promise<void>;
}

/** What somebody's authenticator shows, or showed, or will show. */
export const shownAt = ({ secret = '' }: Employee, at: Date): string => totp(secret, at);
/** Six digits that no authenticator shows. */
export const wrongFor = (right: string): string => String((Number(right) + 500_000) % 1_000_000).padStart(6, '0');

export function authorizationRequest(clientId: string = PLAIN, more: Readonly<Record<string, string>> = {}): Asking {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid',
    state: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  });
  return { path: `/oidc/auth?${query.toString()}`, clientId, verifier };
}

let addresses = 0;

/** More settings; some depend on where the site is. */
export type Settings = Environment | ((origin: string) => Environment);

export async function openHouse(settings: Settings = {}): Promise<House> {
  const time = stopTime();
  const folder = await makeTemporaryFolder('sso-asn-house-');
  const clientsFile = join(folder, 'clients.json');
  await writeFile(clientsFile, JSON.stringify(REGISTRATIONS));
  const site = await startSite((origin) =>
    Promise.resolve({
      DEMO: 'false',
      CLIENTS_FILE: clientsFile,
      // Browsers come from where they say, so that each has limits of its own.
      TRUSTED_PROXIES: '127.0.0.1',
      ...(typeof settings === 'function' ? settings(origin) : settings),
    }),
  );
  const { services } = site.running;
  await addAgencies(services.db);

  /** What was sent for something earlier is no answer to what comes next. */
  async function everyMailSent(): Promise<void> {
    let waiting: readonly unknown[] = [];
    const isSent = async (): Promise<boolean> => {
      // A connection that was just being closed: time stands still here, so the second try would never come.
      await site.running.services.db.query(
        `UPDATE outbox SET next_attempt_at = created_at WHERE kind = 'mail' AND dead_at IS NULL AND last_error IS NOT NULL`,
      );
      waiting = await site.running.services.db.query(
        `SELECT kind, attempts, last_error, created_at, next_attempt_at FROM outbox
          WHERE kind IN ('mail', 'notices') AND dead_at IS NULL`,
      );
      return waiting.length === 0;
    };
    await eventually('every mail to be sent', isSent).catch((error: unknown) => {
      throw new Error(`at ${time.now().toISOString()} these wait: ${JSON.stringify(waiting)}`, { cause: error });
    });
  }

  const ours = [site.origin, services.config.adminOrigin];
  const house: House = {
    site,
    services,
    time,
    browser(more = {}) {
      addresses += 1;
      const headers = { 'x-forwarded-for': `10.9.${(addresses >> 8) % 256}.${addresses % 256}`, ...more };
      return openPerson(site.origin, { headers, stopAt: (url) => !ours.includes(url.origin) });
    },
    ask: authorizationRequest,
    codeOf(address) {
      const url = new URL(address);
      return url.href.startsWith(REDIRECT_URI) ? (url.searchParams.get('code') ?? undefined) : undefined;
    },
    async redeem({ clientId, verifier }, code) {
      const answer = await fetch(new URL('/oidc/token', site.origin), {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString('base64')}` },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          redirect_uri: REDIRECT_URI,
          code_verifier: verifier,
        }),
      });
      const tokens = (await answer.json()) as { id_token?: string };
      if (tokens.id_token === undefined) throw new Error(`no ID token: ${answer.status} ${JSON.stringify(tokens)}`);
      const keys = (await (await fetch(new URL('/oidc/jwks', site.origin))).json()) as JSONWebKeySet;
      const { payload } = await jwtVerify<LoginClaims>(tokens.id_token, createLocalJWKSet(keys), {
        issuer: site.origin,
        audience: clientId,
        currentDate: time.now(),
      });
      return payload;
    },
    async begin(browser, clientId) {
      const asking = authorizationRequest(clientId);
      return { asking, shown: await browser.get(`${site.origin}${asking.path}`) };
    },
    async toOtp(browser, employee, clientId) {
      const { asking } = await house.begin(browser, clientId);
      const shown = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
      if (shown.page !== 'sign-in/otp') throw new Error(`${shown.status} ${shown.page ?? ''} instead of the code`);
      return asking;
    },
    async logIn(browser, employee, clientId) {
      const asking = await house.toOtp(browser, employee, clientId);
      time.pass({ seconds: 31 });
      return house.claimsAt(await browser.submit('/otp', { otp: otpOf(employee) }), asking);
    },
    claimsAt(shown, asking) {
      const code = house.codeOf(shown.url);
      if (code === undefined) throw new Error(`no code: ${shown.status} ${shown.page ?? shown.url.href}`);
      return house.redeem(asking, code);
    },
    async mailOf({ email }, ask, isWanted) {
      await everyMailSent();
      // Mails are told apart by when they came.
      time.pass({ seconds: 1 });
      const asked = time.now();
      await ask();
      return site.mailbox.next(email, asked, isWanted);
    },
    async codeFor({ email }, ask) {
      await everyMailSent();
      const seen = site.mailbox.mails.length;
      await ask();
      for (let round = 0; round < 1_000; round += 1) {
        const mail = site.mailbox.mails.slice(seen).find((each) => each.to.includes(email) && CODE.test(each.text));
        if (mail !== undefined) return CODE.exec(mail.text)?.[0] ?? '';
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      throw new Error('no code was mailed');
    },
    async close() {
      time.release();
      await site.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return house;
}
