import { openPerson, type Person } from '../support/person.js';
import { startSite, type TestSite } from '../support/site.js';

// OpenID Connect Core section 3.1.2.1: the language in which a service was used goes on at the login.
let site: TestSite;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());

/** The login of MyASN with these languages, as the sample service would begin it. */
async function login(browser: Person, uiLocales?: string): Promise<string | undefined> {
  const address = new URL('/oidc/auth', site.origin);
  const params = {
    client_id: 'myasn',
    redirect_uri: `${site.origin}/demo/myasn/callback`,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
    ...(uiLocales === undefined ? {} : { ui_locales: uiLocales }),
  };
  for (const [name, value] of Object.entries(params)) address.searchParams.set(name, value);
  const shown = await browser.get(`${address.pathname}${address.search}`);
  expect(shown.page).toBe('sign-in/password');
  return /<html lang="(\w+)"/.exec(shown.html)?.[1];
}

it('speaks what the service asked for, until another one comes, and always what the person chose', async () => {
  const browser = openPerson(site.origin);
  expect(await login(browser)).toBe('id');
  expect(await login(browser, 'en-GB id')).toBe('en');
  expect((await browser.get('/bantuan')).html).toContain('<html lang="en"');
  const refused = await login(browser, 'en').then(() => browser.submit('/password', { username: 'x', password: 'y' }));
  expect([refused.errors, /<html lang="(\w+)"/.exec(refused.html)?.[1]]).toEqual([['invalid_credentials'], 'en']);
  expect(await login(browser, 'fr')).toBe('id');
  expect(await login(browser, 'en')).toBe('en');
  await browser.follow('lang=id');
  expect(await login(browser, 'en')).toBe('id');
});
