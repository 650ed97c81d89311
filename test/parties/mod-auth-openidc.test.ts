import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Employee } from '../support/employees.js';
import type { Person } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { unusedPort } from '../support/unused-port.js';
import { describeWithApache, startApache, type Apache } from './support/apache.js';
import { example, registration, replaced } from './support/guide.js';
import { confirmLogout, signIn, startPartySite, type PartySite } from './support/party-site.js';

// Apache in front of an application that knows nothing of OpenID Connect, as docs/relying-parties.md sets it up, against
// the whole program.
describeWithApache.each(['standard', 'keycloak'] as const)(
  'Apache mod_auth_openidc, endpoints in the style %s',
  (style) => {
    let house: PartySite;
    let apache: Apache;
    let person: Employee;
    let browser: Person;

    beforeAll(async () => {
      const port = await unusedPort();
      const home = { 'http://localhost:8080': `http://localhost:${port}` };
      house = await startPartySite({ style, registrations: [await registration('arsip-apache', home)] });
      const written = await example('mod_auth_openidc.conf');
      const directives = `${replaced(written, { ...home, 'http://localhost:3000': house.issuer })}
        <Location "/app/fresh">
          OIDCRefreshAccessTokenBeforeExpiry 600
        </Location>`;
      apache = await startApache({ port, directives });
    });
    afterAll(async () => {
      await apache.stop();
      await house.stop();
    });
    beforeEach(async () => {
      person = await house.person();
      browser = house.browser();
    });

    const application = (): Record<string, string> => JSON.parse(browser.shown.html) as Record<string, string>;

    async function logIn(): Promise<Record<string, string>> {
      await browser.get(`${apache.origin}/app/berkas?nomor=7`);
      expect(browser.shown.page).toBe('sign-in/password');
      const { url } = await signIn(browser, person);
      expect(url.href).toBe(`${apache.origin}/app/berkas?nomor=7`);
      return application();
    }

    it('logs in, and tells the application who it is', async () => {
      const { asked } = apache;
      expect(await logIn()).toMatchObject({
        oidc_claim_sub: person.id,
        oidc_claim_iss: house.issuer,
        oidc_claim_preferred_username: person.nip,
        oidc_claim_nip: person.nip,
        oidc_claim_acr: 'urn:asn:aal2',
      });
      // Nobody reached it before.
      expect(apache.asked).toBe(asked + 1);
    });

    it('refreshes by its hook and before an access token ends', async () => {
      const { oidc_access_token: token = '', oidc_refresh_token: refreshToken } = await logIn();
      const hook = new URLSearchParams({ refresh: `${apache.origin}/app/sesudah`, access_token: token });
      const { url } = await browser.get(`${apache.origin}/app/redirect_uri?${hook.toString()}`);
      expect(url.href).toBe(`${apache.origin}/app/sesudah`);
      const second = application();
      expect(second.oidc_access_token).not.toBe(token);
      expect(second.oidc_refresh_token).not.toBe(refreshToken);

      await browser.get(`${apache.origin}/app/fresh`);
      const third = application();
      expect(third.oidc_access_token).not.toBe(second.oidc_access_token);
      expect(third.oidc_claim_sub).toBe(person.id);
    });

    it('logs out here and at the provider', async () => {
      await logIn();
      const goodbye = new URLSearchParams({ logout: `${apache.origin}/bye` });
      const { url } = await confirmLogout(browser, `${apache.origin}/app/redirect_uri?${goodbye.toString()}`);
      expect(url.origin + url.pathname).toBe(`${apache.origin}/bye`);
      expect((await browser.get(`${apache.origin}/app/berkas`)).page).toBe('sign-in/password');
    });

    it('hears of a logout elsewhere', async () => {
      await logIn();
      await browser.get(`${house.site.origin}/login`);
      await browser.submit('/logout');
      const { db } = house.site.running.services;
      await eventually('Apache to be told', async () => (await db.query('SELECT 1 FROM outbox')).length === 0);
      expect((await browser.get(`${apache.origin}/app/berkas`)).page).toBe('sign-in/password');
    });
  },
);
