import { readFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { randomBytes } from 'node:crypto';
import { signIn, startPartySite, type PartySite } from '../../parties/support/party-site.js';
import type { Employee } from '../../support/employees.js';
import { attribute, type Person } from '../../support/person.js';
import { stopTime, type StoppedTime } from '../../support/stopped-time.js';

/** A file of `config/conformance`. */
export const configuration = async <T>(name: string): Promise<T> =>
  JSON.parse(await readFile(`config/conformance/${name}`, 'utf8')) as T;

interface Registration {
  readonly client_id: string;
  readonly redirect_uris: readonly [string];
  readonly backchannel_logout_uri?: string;
}

/** A client as the suite's own configuration names it. */
export interface SuiteClient {
  readonly client_id: string;
  readonly client_secret: string;
}

export interface OidcConfiguration {
  readonly alias: string;
  readonly server: { readonly login_hint: string; readonly ui_locales: string };
  readonly client: SuiteClient;
  readonly client2: SuiteClient;
  readonly client_secret_post: SuiteClient;
}

export type Metadata = Readonly<Record<string, unknown>> & {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly userinfo_endpoint: string;
  readonly end_session_endpoint: string;
  readonly jwks_uri: string;
  readonly pushed_authorization_request_endpoint: string;
  readonly acr_values_supported: readonly string[];
};

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
}

/** The whole program with the registrations of `config/conformance`, asked as the suite would. */
export interface Suite {
  readonly house: PartySite;
  readonly time: StoppedTime;
  readonly metadata: Metadata;
  redirectUri(clientId: string): string;
  /** Somebody who was never logged in, and their browser. */
  newcomer(): Promise<Visit>;
  post(address: string, form: Readonly<Record<string, string>>, headers?: Record<string, string>): Promise<Answer>;
  get(address: string, headers?: Record<string, string>): Promise<Answer>;
  verify(
    idToken: string,
    audience: string,
  ): Promise<{ readonly payload: JWTPayload; readonly protectedHeader: ProtectedHeaderParameters }>;
  stop(): Promise<void>;
}

/** Of one module: who logs in, where, and what the provider last answered at the client. */
export interface Visit {
  readonly person: Employee;
  readonly browser: Person;
}

export async function openSuite(backchannelLogoutUri?: string): Promise<Suite> {
  const time = stopTime();
  const registrations = await configuration<Registration[]>('clients.json');
  const house = await startPartySite({
    registrations: registrations.map((client) =>
      client.backchannel_logout_uri === undefined || backchannelLogoutUri === undefined
        ? client
        : // Where the suite would listen.
          { ...client, backchannel_logout_uri: backchannelLogoutUri },
    ),
    settings: { TRUSTED_PROXIES: '127.0.0.1' },
  });
  const ask = async (address: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(address, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, body };
  };
  const metadata = (await ask(`${house.issuer}/.well-known/openid-configuration`, {})).body as Metadata;
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  return {
    house,
    time,
    metadata,
    redirectUri(clientId) {
      const found = registrations.find(({ client_id: id }) => id === clientId);
      if (found === undefined) throw new Error(`no registration of ${clientId}`);
      return found.redirect_uris[0];
    },
    newcomer: async () => ({ person: await house.person(), browser: house.browser({ stopsAtParties: true }) }),
    post: (address, form, headers = {}) =>
      ask(address, { method: 'POST', body: new URLSearchParams(form), headers: { ...headers } }),
    get: (address, headers = {}) => ask(address, { headers }),
    verify: (idToken, audience) => jwtVerify(idToken, keys, { issuer: house.issuer, audience }),
    async stop() {
      await house.stop();
      time.release();
    },
  };
}

export const random = (): string => randomBytes(16).toString('base64url');

/** A person logs in, when asked; with a code that was not used yet. */
export async function logInIfAsked(suite: Suite, { person, browser }: Visit): Promise<boolean> {
  if (browser.shown.page !== 'sign-in/password') return false;
  suite.time.pass({ seconds: 31 });
  await signIn(browser, person);
  return true;
}

/** What came to the client, by redirect or by the form that posts itself; undefined while a page of ours is shown. */
export function callbackOf({ browser }: Visit, redirectUri: string): URLSearchParams | undefined {
  const { shown } = browser;
  if (shown.url.href.startsWith(redirectUri)) return shown.url.searchParams;
  const form = /<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/.exec(shown.html)?.[0];
  if (form === undefined || attribute(form, 'action') !== redirectUri) return undefined;
  const fields = [...form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]): [string, string] => [
    attribute(input, 'name') ?? '',
    attribute(input, 'value') ?? '',
  ]);
  return new URLSearchParams(fields);
}

/** The provider shows a page of its own that names the error, and sends nobody to the client. */
export function expectErrorPage({ browser }: Visit, error: string): void {
  expect(browser.shown).toMatchObject({ page: 'error', status: 400 });
  expect(browser.shown.html).toContain(error);
  expect(browser.trail.filter((address) => address.includes('emobix'))).toEqual([]);
}
