import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountId } from '#src/kernel/ids.js';
import { createSubjects } from '#src/oidc/tokens/subjects.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { anyClient } from '../clients/support/registry.js';
import { claimsOf, errorOf, House, type Tokens } from './support/house.js';
import { API, web } from './support/registrations.js';

// OpenID Connect Core section 8: a `sub` for each sector, from which nobody can tell two of them apart.
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const addresses: Record<string, string> = {
  letters: 'https://one.go.example/letters/cb',
  forms: 'https://one.go.example/forms/cb',
  desk: 'https://desk.go.example/cb',
  elsewhere: 'https://elsewhere.go.example/cb',
  moved: 'https://new.go.example/cb',
};
/** Addresses that every application on a machine may have. */
const anywhere: Record<string, string> = {
  'reader.go.example': 'http://127.0.0.1/cb',
  scanner: 'http://127.0.0.1/cb',
  camera: 'go.example.shared:/cb',
  printer: 'go.example.shared:/cb',
};
const pairwise = (id: string, rest: { redirect_uris?: string[]; x?: object; sector_identifier_uri?: string } = {}) =>
  web(id, {
    redirect_uris: [addresses[id]],
    subject_type: 'pairwise',
    grant_types: ['authorization_code', 'refresh_token'],
    ...rest,
  });

let house: House;
beforeAll(async () => {
  house = await House.open({
    clients: [
      pairwise('letters', { x: { resources: { [API]: ['read'] } } }),
      pairwise('forms'),
      pairwise('elsewhere'),
      pairwise('desk', { x: { resources: { ['https://sso.asn.example/api/admin']: ['accounts:read'] } } }),
      ...Object.entries(anywhere).map(([id, redirect]) => ({
        ...pairwise(id, { redirect_uris: [redirect] }),
        application_type: 'native',
      })),
      pairwise('moved', {
        redirect_uris: ['https://new.go.example/cb', 'https://old.go.example/cb'],
        sector_identifier_uri: 'https://one.go.example/',
      }),
    ],
  });
});
afterAll(() => house.close());

const login = (clientId: string, account: AccountId, params: Record<string, string> = {}): Promise<Tokens> =>
  house.tokens({
    browser: house.browser(),
    clientId,
    account,
    params: { ...(addresses[clientId] === undefined ? {} : { redirect_uri: addresses[clientId] }), ...params },
  });
const parse = (body: string): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

describe('a pairwise subject', () => {
  it('is the same wherever the client sees it', async () => {
    const account = await house.person();
    const tokens = await login('letters', account);
    const { sub } = claimsOf(tokens.id_token);
    expect(sub).toMatch(UUID);
    expect(sub).not.toBe(account);
    expect(parse((await house.userinfo(tokens.access_token)).body).sub).toBe(sub);
    expect(parse((await house.post('/oidc/introspect', 'letters', { token: tokens.access_token })).body).sub).toBe(sub);
    expect(parse((await house.post('/oidc/introspect', 'letters', { token: tokens.refresh_token })).body).sub).toBe(
      sub,
    );
    const refreshed = parse((await house.refresh('letters', tokens.refresh_token)).body);
    expect(claimsOf(String(refreshed.id_token)).sub).toBe(sub);
    const api = await login('letters', account, { scope: 'openid read', resource: API });
    expect(claimsOf(api.access_token).sub).toBe(sub);
    expect(claimsOf(api.id_token).sub).toBe(sub);
    expect(house.subjects.at('letters', account)).toBe(sub);
  });

  it('is never shared through an address that every application may have', async () => {
    const account = await house.person();
    const subs = await Promise.all(
      Object.entries(anywhere).map(async ([id, redirect_uri]) =>
        String(claimsOf((await login(id, account, { redirect_uri })).id_token).sub),
      ),
    );
    expect(new Set([...subs, account]).size).toBe(5);
    expect(subs.every((sub) => UUID.test(sub))).toBe(true);
  });

  it('is one for all clients of a sector, and another for every other sector and person', async () => {
    const [account, other] = [await house.person(), await house.person()];
    const subOf = async (clientId: string, of = account): Promise<string> =>
      String(claimsOf((await login(clientId, of)).id_token).sub);
    const sector = await subOf('letters');
    expect(await subOf('forms')).toBe(sector);
    expect(await subOf('moved')).toBe(sector);
    const all = [sector, await subOf('elsewhere'), await subOf('web'), await subOf('letters', other)];
    expect(new Set(all).size).toBe(4);
    expect(all[2]).toBe(account);
    expect(all.filter((sub) => !UUID.test(sub))).toEqual([]);
  });

  it('follows from the key of this installation and nothing else', async () => {
    const account = await house.person();
    const at = (byte: number, id: string): string =>
      createSubjects({
        keyed: createKeyedDigest(Buffer.alloc(32, byte)),
        registry: {
          registration: () => ({ ...anyClient.registrations()[0], subject_type: 'pairwise', client_id: id }) as never,
        },
      }).at(id, account);
    expect(at(1, 'a')).toBe(at(1, 'b'));
    expect(at(1, 'a')).not.toBe(at(2, 'a'));
  });

  it('is what id_token_hint and the claim sub are compared with', async () => {
    const browser = house.browser();
    const [account, other] = [await house.person(), await house.person()];
    const redirect = { redirect_uri: addresses.letters ?? '' };
    const own = await house.tokens({ browser, clientId: 'letters', account, params: redirect });
    const foreign = await login('letters', other);
    const ask = async (params: Record<string, string>): Promise<string | undefined> => {
      const { url } = house.request({ clientId: 'letters', params: { ...redirect, prompt: 'none', ...params } });
      const answer = await house.toSignIn(browser, url);
      return answer.redirect().searchParams.has('code') ? 'code' : errorOf(answer);
    };
    const wanting = (sub: string): Record<string, string> => ({
      claims: JSON.stringify({ id_token: { sub: { value: sub } } }),
    });
    expect(await ask({ id_token_hint: own.id_token })).toBe('code');
    expect(await ask({ id_token_hint: foreign.id_token })).toBe('login_required');
    expect(await ask(wanting(String(claimsOf(own.id_token).sub)))).toBe('code');
    expect(await ask(wanting(String(claimsOf(foreign.id_token).sub)))).toBe('login_required');
    expect(await ask(wanting(account))).toBe('login_required');
  });

  it('is nothing that the admin API knows: it has the account', async () => {
    const account = await house.person();
    const tokens = await login('desk', account, { scope: 'openid accounts:read', resource: house.adminResource });
    expect(claimsOf(tokens.id_token).sub).not.toBe(account);
    expect((await house.verifyAdminToken(tokens.access_token))?.accountId).toBe(account);
  });
});
