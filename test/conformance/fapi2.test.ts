import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { Fapi2Client, newKey, type Fapi2Configuration, type Proof, type Redemption } from './support/fapi2-client.js';
import {
  configuration,
  logInIfAsked,
  openSuite,
  random,
  type Answer,
  type Suite,
  type Visit,
} from './support/suite.js';

// The modules of fapi2-security-profile-final-test-plan (private_key_jwt, DPoP, plain_fapi, OpenID Connect), by their
// names without the prefix (docs/conformance.md).

let suite: Suite;
let first: Fapi2Client;
let second: Fapi2Client;
let visit: Visit;
beforeAll(async () => {
  suite = await openSuite();
  const config = await configuration<{ client: Fapi2Configuration; client2: Fapi2Configuration }>('fapi2.json');
  first = new Fapi2Client(suite, config.client);
  second = new Fapi2Client(suite, config.client2);
});
afterAll(() => suite.stop());
beforeEach(async () => {
  visit = await suite.newcomer();
});

const now = (): number => Math.floor(Date.now() / 1000);

const refusal = (...errors: readonly string[]) => ({
  status: expect.any(Number),
  body: expect.objectContaining({ error: expect.stringMatching(new RegExp(`^(?:${errors.join('|')})$`)) }),
});
function expectRefused(answer: Answer, ...errors: readonly string[]): void {
  expect([400, 401]).toContain(answer.status);
  expect(answer).toMatchObject(refusal(...errors));
}

/** What the provider says to the person, or in the answer at the client. */
const said = (): string => visit.browser.shown.html + visit.browser.shown.url.search;

async function expectPushRefused(
  parameters: Record<string, string | undefined>,
  ...errors: readonly string[]
): Promise<void> {
  const { answer } = await first.push(parameters);
  expectRefused(answer, 'invalid_request', ...errors);
}

async function expectNoTokens(redemption: Redemption, ...errors: readonly string[]): Promise<void> {
  expectRefused(await first.redeem(await first.authorize(visit), redemption), ...errors);
}

describe('fapi2-security-profile-final-test-plan', () => {
  it('discovery-end-point-verification', () => {
    const { metadata } = suite;
    expect(metadata).toMatchObject({
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt']),
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      code_challenge_methods_supported: expect.arrayContaining(['S256']),
      response_types_supported: expect.arrayContaining(['code']),
      authorization_response_iss_parameter_supported: true,
      pushed_authorization_request_endpoint: expect.any(String),
      scopes_supported: expect.arrayContaining(['openid']),
      subject_types_supported: expect.arrayContaining(['public']),
    });
    expect(metadata.token_endpoint_auth_signing_alg_values_supported).not.toContain('RS256');
  });

  describe('what must succeed', () => {
    it('happy-flow', async () => {
      await first.logIn(visit);
      visit = await suite.newcomer();
      // Its address has a query of its own, which comes back with the answer.
      const { tokens } = await second.logIn(visit);
      const { userinfo_endpoint: userinfo } = suite.metadata;
      expect((await suite.get(userinfo, { authorization: `Bearer ${tokens.access_token}` })).status).toBe(401);
    });

    it.each([
      ['ensure-authorization-request-without-state-success', { state: undefined }],
      ['ensure-authorization-request-without-nonce-success', { nonce: undefined }],
      ['ensure-authorization-request-with-64-char-nonce-success', { nonce: 'n'.repeat(64) }],
      ['ensure-other-scope-order-succeeds', { scope: 'email profile openid' }],
      ['ensure-authorization-request-with-long-nonce', { nonce: 'n'.repeat(384) }],
      ['ensure-authorization-request-with-long-state', { state: 's'.repeat(384) }],
    ])('%s', async (_module, parameters) => {
      await first.logIn(visit, parameters);
    });

    it('test-claims-parameter-identity-claims', async () => {
      const { claims_supported: supported } = suite.metadata as unknown as { claims_supported: string[] };
      const wanted = Object.fromEntries([...supported, random()].map((claim, at) => [claim, at % 2 ? null : {}]));
      await first.logIn(visit, { claims: JSON.stringify({ userinfo: wanted, id_token: wanted }) });
    });

    it('access-token-type-header-case-sensitivity', async () => {
      const { tokens } = await first.logIn(visit);
      expect((await first.resource(tokens.access_token, {}, 'dPOp')).status).toBe(200);
    });

    it('par-without-duplicate-parameters', async () => {
      // That is how each login here is made: client_id and request_uri, nothing else.
      await first.logIn(visit);
    });
  });

  describe('DPoP', () => {
    it('check-dpop-proof-nbf-exp', async () => {
      const begun = await first.authorize(visit);
      const claims = { nbf: now(), exp: now() + 60 };
      expect((await first.redeem(begun, { proof: { claims } })).status).toBe(200);
    });

    it.each([
      ['ensure-dpopproof-with-iat-10seconds-before-succeeds', -10],
      ['ensure-dpopproof-with-iat-10seconds-after-succeeds', 10],
    ])('%s', async (_module, seconds) => {
      const proof = (): Proof => ({ claims: { iat: now() + seconds } });
      const begun = await first.authorize(visit, {}, { proof: proof() });
      const answer = await first.redeem(begun, { proof: proof() });
      expect(answer.status).toBe(200);
      expect((await first.resource(String(answer.body.access_token), proof())).status).toBe(200);
    });

    const thumbprint = (): Promise<string> => calculateJwkThumbprint(first.dpop.public);

    it('ensure-mismatched-dpop-jkt-fails', async () => {
      const { answer } = await first.push({ dpop_jkt: await thumbprint() }, { proof: { key: newKey() } });
      expectRefused(answer, 'invalid_request', 'invalid_dpop_proof');
    });

    it('ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt', async () => {
      const begun = await first.authorize(visit, {}, { proof: {} });
      expectRefused(await first.redeem(begun, { proof: { key: newKey() } }), 'invalid_grant', 'invalid_dpop_proof');
    });

    it('ensure-token-endpoint-fails-with-mismatched-dpop-jkt', async () => {
      const begun = await first.authorize(visit, { dpop_jkt: await thumbprint() });
      expectRefused(await first.redeem(begun, { proof: { key: newKey() } }), 'invalid_grant', 'invalid_dpop_proof');
    });

    it('ensure-dpopproof-at-par-endpoint-binding-success', async () => {
      await first.logIn(visit, {}, { proof: {} });
    });

    it('ensure-dpop-auth-code-binding-success', async () => {
      await first.logIn(visit, { dpop_jkt: await thumbprint() }, { proof: {} });
    });

    it('dpop-negative-tests', async () => {
      const { tokens } = await first.logIn(visit);
      const { access_token: token } = tokens;
      const { userinfo_endpoint: address } = suite.metadata;
      const refuses = async (what: string, proof: Proof): Promise<void> => {
        expect([what, (await first.resource(token, proof)).status]).toEqual([what, 401]);
      };
      await refuses('no typ', { header: { typ: undefined } });
      await refuses('another typ', { header: { typ: 'jwt' } });
      await refuses('no jwk', { header: { jwk: undefined } });
      await refuses('a private jwk', { header: { jwk: { ...first.dpop.public, d: random() } } });
      for (const claim of ['jti', 'htm', 'htu', 'iat', 'ath']) {
        await refuses(`no ${claim}`, { claims: { [claim]: undefined } });
      }
      await refuses('another method', { claims: { htm: 'POST' } });
      await refuses('another address', { claims: { htu: `${address}/elsewhere` } });
      await refuses('an hour early', { claims: { iat: now() + 3600 } });
      await refuses('an hour late', { claims: { iat: now() - 3600 } });
      await refuses('another token', { claims: { ath: random() } });
      await refuses('another key', { key: newKey() });
      await refuses('RS256', { key: newKey('RS256') });

      const raw = (dpop: string, scheme = 'DPoP'): Promise<Answer> =>
        suite.get(address, { authorization: `${scheme} ${token}`, ...(dpop === '' ? {} : { dpop }) });
      const proof = await first.proof('GET', address, token);
      const [header = '', claims = '', signature = ''] = proof.split('.');
      const none = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'none', jwk: first.dpop.public }));
      for (const [what, dpop, scheme] of [
        ['no proof', ''],
        ['no proof, as Bearer', '', 'Bearer'],
        ['not a JWT', 'proof'],
        ['upper case', proof.toUpperCase()],
        ['two of them', `${proof}, ${proof}`],
        ['unsigned', `${none.toString('base64url')}.${claims}.`],
        ['a wrong signature', `${header}.${claims}.${signature.slice(1)}A`],
      ] as const) {
        const { status } = await raw(dpop, scheme);
        expect([what, status >= 400 && status < 500]).toEqual([what, true]);
      }

      expect((await raw(proof)).status).toBe(200);
      expect((await raw(proof)).status).toBe(401); // Used before.
      const accepts = async (what: string, differs: Proof): Promise<void> => {
        expect([what, (await first.resource(token, differs)).status]).toEqual([what, 200]);
      };
      await accepts('query and fragment', { claims: { htu: `${address}?query=foo#fragment` } });
      await accepts('more claims', { header: { more: 'header' }, claims: { more: 'claim' } });
      await accepts('host in capitals', { claims: { htu: address.replace('localhost', 'LOCALHOST') } });
      await accepts('all right', {});
    });
  });

  describe('the authorization request', () => {
    it('user-rejects-authentication', async () => {
      const { pushed } = await first.push();
      await first.open(visit, pushed);
      expect(visit.browser.shown.page).toBe('sign-in/password');
      await visit.browser.submit('/cancel');
      const callback = first.callback(visit);
      expect([callback.get('error'), callback.get('state')]).toEqual(['access_denied', pushed.state]);
    });

    it('ensure-different-nonce-inside-and-outside-request-object', async () => {
      // What is pushed counts (RFC 9126 section 4): the ID token has the nonce from inside, as logIn sees to.
      await first.logIn(visit, {}, { more: { nonce: random() } });
    });

    it('ensure-different-state-inside-and-outside-request-object', async () => {
      await first.logIn(visit, {}, { more: { state: random() } });
    });

    it('state-only-outside-request-object-not-used', async () => {
      await first.logIn(visit, { state: undefined }, { more: { state: random() } });
    });

    it('ensure-request-object-without-redirect-uri-fails', () => expectPushRefused({ redirect_uri: undefined }));
    it('ensure-redirect-uri-in-authorization-request', () => expectPushRefused({ redirect_uri: undefined }));
    it('plain-fapi-tolerate-unregistered-redirect-uri', () =>
      expectPushRefused({ redirect_uri: `${first.redirectUri}/${random()}` }));
    it('ensure-response-type-code-idtoken-fails', () =>
      expectPushRefused({ response_type: 'code id_token' }, 'unsupported_response_type', 'unauthorized_client'));
    it('ensure-response-type-token-fails', () =>
      expectPushRefused({ response_type: 'token' }, 'unsupported_response_type', 'unauthorized_client'));
    it('par-ensure-pkce-required', () =>
      expectPushRefused({ code_challenge: undefined, code_challenge_method: undefined }));
    it('par-plain-pkce-rejected', () =>
      expectPushRefused({ code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }));
    it('par-authorization-request-containing-request_uri-form-param', () =>
      expectPushRefused({ request_uri: `urn:ietf:params:oauth:request_uri:${random()}` }, 'request_uri_not_supported'));

    it('ensure-unsigned-authorization-request-without-using-par-fails', async () => {
      const url = new URL(suite.metadata.authorization_endpoint);
      const parameters = {
        client_id: first.clientId,
        redirect_uri: first.redirectUri,
        scope: 'openid',
        response_type: 'code',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      };
      url.search = new URLSearchParams(parameters).toString();
      await visit.browser.get(url.href);
      expect(said()).toContain('invalid_request');
    });
  });

  describe('the pushed request', () => {
    it('par-ensure-reused-request-uri-prior-to-auth-completion-succeeds', async () => {
      const { pushed } = await first.push();
      await first.open(visit, pushed);
      expect(visit.browser.shown.page).toBe('sign-in/password');
      await first.open(visit, pushed);
      await logInIfAsked(suite, visit);
      expect(first.callback(visit).get('code')).toEqual(expect.any(String));
    });

    it('par-attempt-reuse-request_uri', async () => {
      const pushed = await first.authorize(visit);
      await first.open(visit, pushed);
      expect(said()).toContain('invalid_request_uri');
    });

    it('par-attempt-to-use-expired-request_uri', async () => {
      const { pushed } = await first.push();
      suite.time.pass({ seconds: pushed.expiresInSeconds + 1 });
      await first.open(visit, pushed);
      expect(said()).toContain('invalid_request_uri');
    });

    it('par-attempt-to-use-request_uri-for-different-client', async () => {
      const { pushed } = await first.push();
      await second.open(visit, pushed);
      expect(said()).toMatch(/invalid_request_uri|invalid_request/);
      expect(visit.browser.shown.page).toBe('error');
    });

    it('par-attempt-invalid-http-method', async () => {
      const { pushed_authorization_request_endpoint: address } = suite.metadata;
      expect((await suite.get(address)).status).toBeGreaterThanOrEqual(400);
    });

    it('par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted', async () => {
      const soon = now() + 8;
      const { answer } = await first.push({}, { assertion: { iat: soon, nbf: soon, exp: soon + 60 } });
      expect(answer.status).toBe(201);
    });

    const expectAssertionRefused = async (assertion: Record<string, unknown>): Promise<void> => {
      expectRefused((await first.push({}, { assertion })).answer, 'invalid_client', 'invalid_request');
    };
    it('par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails', () => {
      const late = now() + 65;
      return expectAssertionRefused({ iat: late, nbf: late, exp: late + 60 });
    });
    it('par-test-array-as-audience-fails', () =>
      expectAssertionRefused({ aud: [suite.metadata.issuer, 'https://other.example'] }));
    it('par-test-par-endpoint-url-as-audience-fails', () =>
      expectAssertionRefused({ aud: suite.metadata.pushed_authorization_request_endpoint }));
    it('par-test-token-endpoint-url-as-audience-fails', () =>
      expectAssertionRefused({ aud: suite.metadata.token_endpoint }));
  });

  describe('the token endpoint', () => {
    it('ensure-client-id-in-token-endpoint', () => {
      // In the name of the second client, with the key and the code of the first.
      const { clientId } = second;
      const redemption = { form: { client_id: clientId }, assertion: { iss: clientId, sub: clientId } };
      return expectNoTokens(redemption, 'invalid_client', 'invalid_grant');
    });

    it('ensure-holder-of-key-required', () =>
      expectNoTokens({ proof: 'none' }, 'invalid_request', 'invalid_grant', 'invalid_dpop_proof'));

    it('ensure-authorization-code-is-bound-to-client', async () => {
      const begun = await first.authorize(visit);
      expectRefused(await second.redeem(begun), 'invalid_grant');
    });

    it('attempt-reuse-authorization-code-after-one-second', async () => {
      const begun = await first.authorize(visit);
      const { body } = await first.redeem(begun);
      suite.time.pass({ seconds: 1 });
      expectRefused(await first.redeem(begun), 'invalid_grant');
      expect((await first.resource(String(body.access_token))).status).toBe(401);
    });

    it('ensure-token-endpoint-fails-with-expired-auth-code', async () => {
      const begun = await first.authorize(visit);
      suite.time.pass({ seconds: 62 });
      expectRefused(await first.redeem(begun), 'invalid_grant');
    });

    it('ensure-pkce-code-verifier-required', () =>
      expectNoTokens({ form: { code_verifier: undefined } }, 'invalid_grant'));
    it('incorrect-pkce-code-verifier-rejected', () =>
      expectNoTokens({ form: { code_verifier: 'v'.repeat(43) } }, 'invalid_grant'));
    it('ensure-signed-client-assertion-with-RS256-fails', () =>
      expectNoTokens({ assertion: { signedAs: 'RS256' } }, 'invalid_client'));
    it('ensure-client-assertion-in-token-endpoint', () =>
      expectNoTokens({ assertion: 'none' }, 'invalid_client', 'invalid_request'));
    it('ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', () =>
      expectNoTokens({ assertion: { iat: now() - 360, exp: now() - 300 } }, 'invalid_client'));
    it('ensure-client-assertion-with-wrong-aud-fails', () =>
      expectNoTokens({ assertion: { aud: 'https://other.example' } }, 'invalid_client'));
    it('ensure-client-assertion-with-no-sub-fails', () =>
      expectNoTokens({ assertion: { sub: undefined } }, 'invalid_client', 'invalid_request'));

    it('refresh-token', async () => {
      const { tokens, claims } = await first.logIn(visit, { scope: 'openid offline_access', prompt: 'consent' });
      const renewed = await first.refresh(tokens.refresh_token);
      expect(renewed.status).toBe(200);
      const { payload } = await suite.verify(String(renewed.body.id_token), first.clientId);
      expect(payload).toMatchObject({ sub: claims.sub, auth_time: claims.auth_time });
      expect((await first.resource(String(renewed.body.access_token))).status).toBe(200);

      expectRefused(
        await first.refresh(tokens.refresh_token, { assertion: 'none' }),
        'invalid_client',
        'invalid_request',
      );
      expectRefused(await second.refresh(tokens.refresh_token), 'invalid_grant');
    });
  });
});
