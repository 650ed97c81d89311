import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountId } from '#src/kernel/ids.js';
import type { Browser } from './support/browser.js';
import { claimsOf, errorOf, House, type Tokens } from './support/house.js';
import { web } from './support/registrations.js';

// R-46, OpenID Connect Core section 5: who learns what of a person. Clients x scopes x claims parameter.
const ALL = ['name', 'preferred_username', 'email', 'email_verified', 'nip', 'employment', 'agency', 'roles'];
const OF_SCOPE: Record<string, readonly string[]> = {
  openid: [],
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
  asn: ['nip', 'employment', 'agency', 'roles'],
};
/** The most that each client may ever learn, written out. */
const MAY: Record<string, readonly string[]> = {
  web: ['name', 'preferred_username', 'email', 'email_verified', 'nip', 'employment', 'agency'],
  legacy: ['name', 'preferred_username', 'email', 'email_verified', 'nip', 'employment', 'agency'],
  bare: [],
  few: ['name', 'nip'],
  roles: ['name', 'roles'],
  mailer: ['email', 'email_verified'],
};
const SCOPES = ['openid', 'openid profile', 'openid email', 'openid asn', 'openid profile email asn'];
const each = (value: unknown): Record<string, unknown> =>
  Object.fromEntries([...ALL, 'nik', 'password', 'sub'].map((claim) => [claim, value]));
const ASKED: Record<string, { userinfo?: object; id_token?: object }> = {
  nothing: {},
  'all at userinfo': { userinfo: each(null) },
  'all in the ID token, essential': { id_token: { ...each({ essential: true }), sub: null } },
  'some at both': { userinfo: { email: { essential: true }, nip: null }, id_token: { agency: null, roles: null } },
  'with values': { userinfo: { employment: { value: 'PNS' }, name: { values: ['Budi', 'Siti Rahayu'] } } },
};
const NIP = ['nip', 'preferred_username'];

let house: House;
let account: AccountId;
let browser: Browser;
beforeAll(async () => {
  house = await House.open({ clients: [web('mailer', { scope: 'openid email' })] });
  account = await house.person();
  browser = house.browser();
  await house.db.query(
    "INSERT INTO role_grants (account_id, role, agency_code, granted_at) VALUES ($1, 'helpdesk', '3300', now())",
    [account],
  );
});
afterAll(() => house.close());

const login = (clientId: string, params: Record<string, string>): Promise<Tokens> =>
  house.tokens({ browser, clientId, account, params });
const learned = (claims: object): string[] =>
  Object.keys(claims).filter((claim) => ALL.includes(claim) || ['nik', 'password'].includes(claim));
const userinfo = async (tokens: Tokens): Promise<Record<string, unknown>> =>
  JSON.parse((await house.userinfo(tokens.access_token)).body) as Record<string, unknown>;

describe.each(Object.keys(MAY))('%s', (clientId) => {
  it.each(SCOPES.flatMap((scope) => Object.keys(ASKED).map((asked) => [scope, asked] as const)))(
    'with %s, asking for %s',
    async (scope, asked) => {
      const request = ASKED[asked] ?? {};
      const may = MAY[clientId] ?? [];
      const byScope = scope.split(' ').flatMap((name) => OF_SCOPE[name] ?? []);
      const oneByOne = (claims: object = {}): string[] => Object.keys(claims).filter((claim) => !NIP.includes(claim));
      // Asked for in the ID token the NIP is given where the scope gives it, at userinfo by scope anyway.
      const inIdToken = [
        ...(clientId === 'legacy' ? byScope : []),
        ...oneByOne(request.id_token),
        ...Object.keys(request.id_token ?? {}).filter((claim) => byScope.includes(claim)),
      ];
      const expected = (claims: readonly string[]): string[] =>
        ALL.filter((x) => may.includes(x) && claims.includes(x));

      const claims = Object.keys(request).length === 0 ? {} : { claims: JSON.stringify(request) };
      if (clientId === 'mailer' && /profile|asn/.test(scope)) {
        const { url } = house.request({ clientId, params: { scope, ...claims } });
        expect(errorOf(await house.browser().call(url))).toBe('invalid_scope');
        return;
      }
      const tokens = await login(clientId, { scope, ...claims });
      const info = await userinfo(tokens);
      expect(learned(info).toSorted()).toEqual(expected([...byScope, ...oneByOne(request.userinfo)]).toSorted());
      expect(learned(claimsOf(tokens.id_token)).toSorted()).toEqual(expected(inIdToken).toSorted());
      expect([info.sub, claimsOf(tokens.id_token).sub]).toEqual([account, account]);
    },
  );
});

describe('the claims parameter', () => {
  it('gives what is there, not what was hoped for', async () => {
    const claims = JSON.stringify({ userinfo: { employment: { value: 'PPPK', essential: true } } });
    expect((await userinfo(await login('web', { scope: 'openid', claims }))).employment).toBe('PNS');
  });

  it('is kept over a refresh, and follows the registration of the moment', async () => {
    const claims = JSON.stringify({ userinfo: { email: null, agency: null }, id_token: { email: null } });
    const tokens = await login('web', { scope: 'openid', claims });
    const again = JSON.parse((await house.refresh('web', tokens.refresh_token)).body) as Tokens;
    expect(learned(await userinfo(again))).toEqual(['email', 'agency']);
    expect(learned(claimsOf(again.id_token))).toEqual(['email']);
    const back = house.change('web', (registration) => ({ ...registration, x: { claims: ['agency'] } }));
    expect(learned(await userinfo(again))).toEqual(['agency']);
    back();
  });

  it.each(['x', '[]', '{}', '{"userinfo":7}', '{"id_token":[]}', '{"id_token":{"acr":{"essential":true,"value":7}}}'])(
    'that is %s is refused',
    async (claims) => {
      const { url } = house.request({ clientId: 'web', params: { scope: 'openid', claims } });
      const answer = await house.toSignIn(house.browser(), url);
      expect(errorOf(answer)).toBe('invalid_request');
    },
  );
});
