import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Employee } from '../support/employees.js';
import { startLogoutReceiver, type LogoutReceiver } from '../support/logout-receiver.js';
import type { Person } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { describeWithAuthlib, startAuthlibParty, type AuthlibParty } from './support/authlib.js';
import { confirmLogout, signIn, startPartySite, type PartySite } from './support/party-site.js';

const SECRET = 'a-shared-secret-of-forty-characters-long';
const REDIRECT_URI = 'http://127.0.0.1:9/callback';
const GOODBYE = 'http://127.0.0.1:9/bye';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PEM = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

// Authlib (Python) as a relying party uses it, against the whole program.
describeWithAuthlib.each(['standard', 'keycloak'] as const)('Authlib, endpoints in the style %s', (style) => {
  let house: PartySite;
  let receiver: LogoutReceiver;
  beforeAll(async () => {
    receiver = await startLogoutReceiver();
    const common = {
      redirect_uris: [REDIRECT_URI],
      post_logout_redirect_uris: [GOODBYE],
      grant_types: ['authorization_code', 'refresh_token'],
      backchannel_logout_uri: receiver.address,
    };
    house = await startPartySite({
      style,
      registrations: [
        {
          ...common,
          client_id: 'py-signs',
          client_name: 'Arsip',
          jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
        },
        {
          ...common,
          client_id: 'py-shares',
          client_name: 'Warisan',
          token_endpoint_auth_method: 'client_secret_post',
          client_secret: SECRET,
          id_token_signed_response_alg: 'RS256',
        },
      ],
    });
  });
  afterAll(async () => {
    await house.stop();
    await receiver.stop();
  });

  describe.each([
    ['private_key_jwt', 'py-signs', PEM],
    ['client_secret_post', 'py-shares', SECRET],
  ] as const)('%s', (method, clientId, secret) => {
    let party: AuthlibParty;
    let person: Employee;
    let browser: Person;
    beforeEach(async () => {
      const { issuer } = house;
      party = startAuthlibParty({ issuer, client_id: clientId, method, secret, redirect_uri: REDIRECT_URI });
      person = await house.person();
      browser = house.browser({ stopsAtParties: true });
    });
    afterEach(() => party.stop());

    async function logIn(): Promise<unknown> {
      const { answer: address } = await party.ask('begin');
      expect((await browser.get(String(address))).page).toBe('sign-in/password');
      const { url } = await signIn(browser, person);
      return party.ask('complete', url.href);
    }

    it('logs in, refreshes and logs out', async () => {
      expect(await logIn()).toMatchObject({
        answer: { iss: house.issuer, aud: clientId, sub: person.id, acr: 'urn:asn:aal2' },
      });
      const about = { sub: person.id, preferred_username: person.nip, email: person.email };
      expect(await party.ask('userinfo')).toMatchObject({ answer: about });
      expect(await party.ask('introspect')).toMatchObject({ answer: { active: true, sub: person.id } });
      expect(await party.ask('refresh')).toEqual({ answer: true });
      expect(await party.ask('userinfo')).toMatchObject({ answer: about });

      const { answer: address } = await party.ask('logout', GOODBYE);
      expect((await confirmLogout(browser, String(address))).url.href).toBe(`${GOODBYE}?state=bye`);
      expect(await party.ask('refresh')).toEqual({ error: 'invalid_grant' });
    });

    it('hears of a logout elsewhere', async () => {
      const { answer: claims } = (await logIn()) as { answer: { sid: string } };
      const { length: before } = receiver.received;
      await browser.get(`${house.site.origin}/login`);
      await browser.submit('/logout');
      await eventually('the relying party to be told', () => receiver.received.length > before);
      expect(await party.ask('told', receiver.received.at(-1)?.token ?? '')).toEqual({ answer: claims.sid });
      expect(await party.ask('refresh')).toEqual({ error: 'invalid_grant' });
    });
  });
});
