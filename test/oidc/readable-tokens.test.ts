import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountId } from '#src/kernel/ids.js';
import { claimsOf, errorOf, House, resetTime, setTime, tokensOf, type Tokens } from './support/house.js';
import { API, web } from './support/registrations.js';

// `x.keycloak_js`: tokens with a note on them, which nobody believes (ADR 0029).
const application = (rest: object = {}, x: object = {}): object =>
  JSON.parse(
    JSON.stringify({
      ...web('reader', { grant_types: ['authorization_code', 'refresh_token'], ...rest }),
      jwks: undefined,
      token_endpoint_auth_method: 'none',
      x: { keycloak_js: true, resources: { [API]: ['read'] }, ...x },
    }),
  ) as object;

let house: House;
beforeAll(async () => {
  house = await House.open({
    clients: [
      application({ subject_type: 'pairwise' }),
      { ...application({ redirect_uris: ['https://plain.example/cb'] }, { keycloak_js: false }), client_id: 'plain' },
    ],
  });
});
afterAll(() => house.close());
afterEach(resetTime);

const login = async (clientId = 'reader', params: Record<string, string> = {}, account?: AccountId): Promise<Tokens> =>
  house.tokens({ browser: house.browser(), clientId, account: account ?? (await house.person()), params });
const noteOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const bare = (token: string): string => token.split('.')[0] ?? '';
const other = `.${Buffer.from('{"sub":"somebody else","exp":9999999999}').toString('base64url')}`;

describe('a token with a note', () => {
  it('says when it ends, whose it is and in which session, as its client knows them', async () => {
    const account = await house.person();
    const tokens = await login('reader', {}, account);
    const { sub, sid } = claimsOf(tokens.id_token);
    expect(sub).toBe(house.subjects.at('reader', account));
    const common = { iss: house.issuer, sub, sid, azp: 'reader', iat: expect.any(Number) };
    expect(noteOf(tokens.access_token)).toEqual({
      ...common,
      typ: 'Bearer',
      scope: 'openid profile email asn',
      exp: Number(noteOf(tokens.access_token).iat) + 600,
    });
    const left = Number(noteOf(tokens.refresh_token).exp) - Number(noteOf(tokens.refresh_token).iat);
    expect(noteOf(tokens.refresh_token)).toEqual({ ...common, typ: 'Refresh', exp: expect.any(Number) });
    expect(Math.abs(left - 12 * 3600)).toBeLessThan(5);
  });

  it('is the token before the note: with it, without it, with another one', async () => {
    const { access_token: token, refresh_token: refresh } = await login();
    for (const each of [token, bare(token), bare(token) + other, `${bare(token)}.`]) {
      const answer = await house.userinfo(each);
      expect([each, answer.status]).toEqual([each, 200]);
      expect(answer.body).not.toContain('somebody else');
    }
    expect((await house.userinfo(`x${token}`)).status).toBe(401);
    expect(tokensOf(await house.refresh('reader', bare(refresh) + other)).refresh_token.split('.')).toHaveLength(2);
  });

  it('is spent once however it is written, and its family ends when it is used again later', async () => {
    const { refresh_token: first } = await login();
    const { refresh_token: second, access_token: token } = tokensOf(await house.refresh('reader', first));
    for (const each of [first, bare(first), bare(first) + other]) {
      expect(errorOf(await house.refresh('reader', each))).toBe('invalid_grant');
    }
    setTime(new Date(Date.now() + 11_000));
    const before = await house.audited('refresh_token.reused');
    expect(errorOf(await house.refresh('reader', bare(first) + other))).toBe('invalid_grant');
    expect(await house.audited('refresh_token.reused')).toBe(before + 1);
    expect(errorOf(await house.refresh('reader', second))).toBe('invalid_grant');
    expect((await house.userinfo(token)).status).toBe(401);
  });

  it('used 16 times at once, with as many notes, has one successor', async () => {
    const { refresh_token: token } = await login();
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => house.refresh('reader', `${bare(token)}.${'A'.repeat(index)}`)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('is revoked as it was given', async () => {
    const { access_token: token, refresh_token: refresh } = await login();
    expect((await house.post('/oidc/revoke', 'reader', { token: refresh })).status).toBe(200);
    expect((await house.userinfo(token)).status).toBe(401);
    expect(errorOf(await house.refresh('reader', refresh))).toBe('invalid_grant');
  });

  it('is for clients that are registered for it, and for tokens only', async () => {
    const tokens = await login('plain');
    expect([tokens.access_token, tokens.refresh_token].map((token) => token.includes('.'))).toEqual([false, false]);
    expect((await house.userinfo(tokens.access_token + other)).status).toBe(401);
    expect(errorOf(await house.refresh('plain', tokens.refresh_token + other))).toBe('invalid_grant');
    expect((await house.refresh('plain', tokens.refresh_token)).status).toBe(200);
    const asked = await house.code({ browser: house.browser(), clientId: 'reader', account: await house.person() });
    expect(errorOf(await house.redeem('reader', { ...asked, code: asked.code + other }))).toBe('invalid_grant');
    expect((await house.redeem('reader', asked)).status).toBe(200);
  });

  it('is not needed on a JWT for a resource', async () => {
    const { access_token: token } = await login('reader', { scope: 'openid read', resource: API });
    expect(claimsOf(token)).toMatchObject({ aud: API, scope: 'read' });
  });

  it('may be asked for with cookies from the client’s own origin, and from no other', async () => {
    const ask = async (clientId: string, origin: string) =>
      house.browser().call(house.address('/oidc/token'), {
        headers: { accept: 'application/json', origin },
        form: { grant_type: 'refresh_token', refresh_token: 'x', client_id: clientId },
      });
    const allowed = async (clientId: string, origin: string) => {
      const { headers } = await ask(clientId, origin);
      return [headers['access-control-allow-origin'], headers['access-control-allow-credentials']];
    };
    expect(await allowed('reader', 'https://reader.example')).toEqual(['https://reader.example', 'true']);
    expect(await allowed('reader', 'https://evil.example')).toEqual([undefined, undefined]);
    expect(await allowed('plain', 'https://plain.example')).toEqual(['https://plain.example', undefined]);
  });

  it('has no helper pages in the style standard', async () => {
    const answer = await house.browser().call(house.address('/protocol/openid-connect/3p-cookies/step1.html'));
    expect(answer.status).toBe(404);
  });
});
