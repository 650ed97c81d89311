import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import type { Employee } from '../support/employees.js';
import { startLogoutReceiver, type LogoutReceiver } from '../support/logout-receiver.js';
import type { Person } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { confirmLogout, signIn, startPartySite, type PartySite } from './support/party-site.js';

// openid-client as relying parties in Node.js use it, against the whole program.

const REDIRECT_URI = 'http://127.0.0.1:9/callback';
const GOODBYE = 'http://127.0.0.1:9/bye';
const SECRET = 'a-shared-secret-of-forty-characters-long';
const SIGNING = 'arsip';
const SHARING = 'warisan';

interface Party {
  readonly config: oidc.Configuration;
  readonly told: LogoutReceiver;
  readonly pushes: boolean;
  readonly dpop: oidc.DPoPHandle | undefined;
}

type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers;

const withDpop = ({ dpop }: Party): oidc.DPoPOptions => (dpop === undefined ? {} : { DPoP: dpop });

describe.each(['standard', 'keycloak'] as const)('openid-client, endpoints in the style %s', (style) => {
  let house: PartySite;
  let receivers: LogoutReceiver[];
  let parties: Record<typeof SIGNING | typeof SHARING, Party>;
  let person: Employee;
  let browser: Person;

  beforeAll(async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    receivers = [await startLogoutReceiver(), await startLogoutReceiver()];
    const [toldSigning, toldSharing] = receivers as [LogoutReceiver, LogoutReceiver];
    const common = {
      redirect_uris: [REDIRECT_URI],
      post_logout_redirect_uris: [GOODBYE],
      grant_types: ['authorization_code', 'refresh_token'],
      backchannel_logout_session_required: true,
    };
    house = await startPartySite({
      style,
      registrations: [
        {
          ...common,
          client_id: SIGNING,
          client_name: 'Arsip',
          jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'arsip-1' }] },
          require_pushed_authorization_requests: true,
          dpop_bound_access_tokens: true,
          backchannel_logout_uri: toldSigning.address,
        },
        {
          ...common,
          client_id: SHARING,
          client_name: 'Warisan',
          token_endpoint_auth_method: 'client_secret_basic',
          client_secret: SECRET,
          backchannel_logout_uri: toldSharing.address,
        },
      ],
    });
    const discover = (clientId: string, proof: oidc.ClientAuth): Promise<oidc.Configuration> =>
      oidc.discovery(new URL(house.issuer), clientId, { id_token_signed_response_alg: 'ES256' }, proof, {
        // Deprecated only to stand out: this is one machine.
        // eslint-disable-next-line @typescript-eslint/no-deprecated
        execute: [oidc.allowInsecureRequests],
      });
    const signing = await discover(SIGNING, oidc.PrivateKeyJwt({ key: privateKey, kid: 'arsip-1' }));
    parties = {
      [SIGNING]: {
        config: signing,
        told: toldSigning,
        pushes: true,
        dpop: oidc.getDPoPHandle(signing, await oidc.randomDPoPKeyPair('ES256')),
      },
      [SHARING]: {
        config: await discover(SHARING, oidc.ClientSecretBasic(SECRET)),
        told: toldSharing,
        pushes: false,
        dpop: undefined,
      },
    };
  });
  afterAll(async () => {
    await house.stop();
    for (const receiver of receivers) await receiver.stop();
  });
  beforeEach(async () => {
    person = await house.person();
    browser = house.browser({ stopsAtParties: true });
  });

  /** Through the pages where the person is not known yet, to the tokens. */
  async function logIn(party: Party, more: Record<string, string> = {}): Promise<Tokens> {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const expectedState = oidc.randomState();
    const expectedNonce = oidc.randomNonce();
    const parameters = {
      redirect_uri: REDIRECT_URI,
      scope: 'openid profile email asn',
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...more,
    };
    const address = party.pushes
      ? await oidc.buildAuthorizationUrlWithPAR(party.config, parameters, withDpop(party))
      : oidc.buildAuthorizationUrl(party.config, parameters);
    let shown = await browser.get(address.href);
    if (shown.page === 'sign-in/password') shown = await signIn(browser, person);
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
    return oidc.authorizationCodeGrant(party.config, shown.url, checks, {}, withDpop(party));
  }

  const logOut = (party: Party, tokens: Tokens, state: string): ReturnType<typeof confirmLogout> =>
    confirmLogout(
      browser,
      oidc.buildEndSessionUrl(party.config, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: GOODBYE,
        state,
      }).href,
    );

  const refused = (error: string) => expect.objectContaining({ error });

  it.each([SIGNING, SHARING] as const)('%s logs in, refreshes, revokes and logs out', async (clientId) => {
    const party = parties[clientId];
    const { config } = party;
    const tokens = await logIn(party);
    const claims = tokens.claims();
    expect(claims).toMatchObject({
      iss: house.issuer,
      aud: clientId,
      sub: person.id,
      acr: 'urn:asn:aal2',
      amr: ['pwd', 'otp', 'mfa'],
      auth_time: expect.any(Number),
      sid: expect.any(String),
    });
    expect(tokens.token_type).toBe(clientId === SIGNING ? 'dpop' : 'bearer');

    const about = await oidc.fetchUserInfo(config, tokens.access_token, person.id, withDpop(party));
    expect(about).toMatchObject({ sub: person.id, preferred_username: person.nip, nip: person.nip });
    const active = await oidc.tokenIntrospection(config, tokens.access_token);
    expect(active).toMatchObject({ active: true, client_id: clientId, sub: person.id });

    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', {}, withDpop(party));
    expect(renewed.access_token).not.toBe(tokens.access_token);
    // who signs its requests keeps its refresh token; who shares a secret gets a new one.
    expect(renewed.refresh_token === tokens.refresh_token).toBe(clientId === SIGNING);
    expect(renewed.claims()).toMatchObject({ sub: person.id, auth_time: claims?.auth_time, sid: claims?.sid });
    await oidc.fetchUserInfo(config, renewed.access_token, person.id, withDpop(party));

    await oidc.tokenRevocation(config, renewed.access_token);
    expect(await oidc.tokenIntrospection(config, renewed.access_token)).toEqual({ active: false });

    const bye = await logOut(party, renewed, 'sampai-jumpa');
    expect(bye.url.href).toBe(`${GOODBYE}?state=sampai-jumpa`);
    await expect(oidc.refreshTokenGrant(config, renewed.refresh_token ?? '', {}, withDpop(party))).rejects.toEqual(
      refused('invalid_grant'),
    );
    expect((await browser.get(`${house.site.origin}/login`)).page).toBe('sign-in/password');
  });

  it('hears of a logout at the other one', async () => {
    const [here, there] = [parties[SIGNING], parties[SHARING]];
    const tokens = await logIn(here);
    const others = await logIn(there);
    expect(others.claims()?.sub).toBe(person.id);
    await logOut(here, tokens, 'x');

    const sid = others.claims()?.sid;
    const aboutThis = (token: string): boolean => decodeJwt(token).sid === sid;
    await eventually('the other one to be told', () => there.told.received.some(({ token }) => aboutThis(token)));
    const told = there.told.received.find(({ token }) => aboutThis(token));
    const keys = createRemoteJWKSet(new URL(there.config.serverMetadata().jwks_uri ?? ''));
    const { payload } = await jwtVerify(told?.token ?? '', keys, {
      issuer: house.issuer,
      audience: SHARING,
      typ: 'logout+jwt',
    });
    expect(payload).toMatchObject({
      sub: person.id,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    await expect(oidc.refreshTokenGrant(there.config, others.refresh_token ?? '')).rejects.toEqual(
      refused('invalid_grant'),
    );
  });

  it('learns why a login cannot be without questions, and asks for a fresh one', async () => {
    const party = parties[SHARING];
    const silently = oidc.buildAuthorizationUrl(party.config, {
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      prompt: 'none',
      code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    const { url } = await browser.get(silently.href);
    await expect(oidc.authorizationCodeGrant(party.config, url)).rejects.toEqual(refused('login_required'));
    expect((await logIn(party)).claims()?.sub).toBe(person.id);
    const asked = oidc.buildAuthorizationUrl(party.config, {
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      max_age: '0',
      code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    expect((await browser.get(asked.href)).page).toBe('sign-in/password');
  });
});
