import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { challengeOf, openPerson } from '../support/person.js';
import { describeInBrowser, launchChromium, type Shown, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { enrol, PASSWORD, resetPassword } from '../journeys/steps.js';
import { activate, authenticator, demoPerson, login, readKey, WORDS, type Someone } from './steps.js';
import { writeClientsFile } from './clients-file.js';
import { stopInTheMorning } from './morning.js';

const t = WORDS.id;
const VERIFIER = 'v'.repeat(43);

/** A web server of somebody else. */
async function startElsewhere(answer: RequestListener): Promise<{ origin: string; server: Server }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describeInBrowser('what Chromium guards, and what it must let through', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let service: Awaited<ReturnType<typeof startElsewhere>>;
  let inner: Awaited<ReturnType<typeof startElsewhere>>;
  let clients: Awaited<ReturnType<typeof writeClientsFile>>;
  beforeAll(async () => {
    clock = stopInTheMorning();
    const page = '<!DOCTYPE html><title>Arsip</title><link rel="icon" href="data:,"><main data-page="elsewhere">';
    inner = await startElsewhere((_, response) => response.setHeader('content-type', 'text/html').end(page));
    // A relying party that sends its people on to a host of its own: the chain has one more link.
    service = await startElsewhere((request, response) => {
      response.writeHead(303, { location: `${inner.origin}${request.url ?? ''}` }).end();
    });
    clients = await writeClientsFile({
      client_id: 'archive',
      client_name: 'Arsip',
      redirect_uris: [`${service.origin}/callback`],
      post_logout_redirect_uris: [`${service.origin}/bye`],
      token_endpoint_auth_method: 'none',
      response_modes: ['query', 'form_post'],
      x: { redirect_origins: [inner.origin] },
    });
    [site, browser] = await Promise.all([startSite({ CLIENTS_FILE: clients.path }), launchChromium()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    await clients.remove();
    service.server.close();
    inner.server.close();
    clock.release();
  });

  /** A person with password and authenticator, made in a browser far away. */
  async function enrolled(name: string): Promise<{ who: Someone; phone: { code(): string } }> {
    const who = demoPerson(name);
    const before = openPerson(site.origin);
    await resetPassword(site, before, { nip: who.nip, email: who.email });
    await before.get('/demo/myasn/login');
    await before.submit('/password', { username: who.nip, password: PASSWORD });
    const { secret } = await enrol(before);
    clock.pass({ seconds: 60 });
    return { who, phone: authenticator(secret, clock) };
  }
  const enter = async (tab: Tab, otp: string): Promise<Shown> => {
    await tab.type({ otp });
    return tab.press(t('action.continue'));
  };
  const authorize = (more: Readonly<Record<string, string>> = {}): string => {
    const query = new URLSearchParams({
      client_id: 'archive',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: `${service.origin}/callback`,
      code_challenge: challengeOf(VERIFIER),
      code_challenge_method: 'S256',
      state: 'abc',
      ...more,
    });
    return `/oidc/auth?${query.toString()}`;
  };

  describe('a relying party at another origin', () => {
    let tab: Tab;
    let someone: Awaited<ReturnType<typeof enrolled>>;
    beforeAll(async () => {
      someone = await enrolled('Galuh Permadi');
      tab = await browser.openTab({ origin: site.origin });
    });
    afterAll(() => tab.close());

    it('gets its person through the whole chain of redirects after a form', async () => {
      await tab.open(authorize());
      await login(tab, someone.who);
      const arrived = await enter(tab, someone.phone.code());
      expect({ page: arrived.page, at: arrived.url.origin }).toEqual({ page: 'elsewhere', at: inner.origin });
      expect(arrived.url.searchParams.get('code')).toMatch(/^\S{20,}$/);
      expect(tab.complaints).toEqual([]);
    });

    it.each([
      ['by itself', true],
      ['by a button where scripts are off', false],
    ])('gets its answer posted %s', async (_, javaScript) => {
      const other = await browser.openTab({ origin: site.origin, javaScript });
      await other.open(authorize({ response_mode: 'form_post' }));
      await login(other, someone.who);
      await other.type({ otp: someone.phone.code() });
      await other.page.getByRole('button', { name: t('action.continue') }).click();
      if (!javaScript) await other.page.getByRole('button', { name: t('formPost.submit') }).click();
      await other.page.waitForURL(`${inner.origin}/callback`);
      expect(other.complaints).toEqual([]);
      await other.close();
    });

    it('gets its person back after logout', async () => {
      const back = new URLSearchParams({ client_id: 'archive', post_logout_redirect_uri: `${service.origin}/bye` });
      expect((await tab.open(`/oidc/logout?${back.toString()}`)).page).toBe('sign-out/confirm');
      expect((await tab.press(t('signOut.confirm.submit'))).url.href).toBe(`${inner.origin}/bye`);
      expect(tab.complaints).toEqual([]);
    });

    it('would be cut off by a stricter policy, and these tests would see it', async () => {
      await tab.page.route('**/sign-in/*/otp', async (route) => {
        const answer = await route.fetch({ maxRedirects: 0 });
        const policy = (answer.headers()['content-security-policy'] ?? '').replace(inner.origin, '');
        await route.fulfill({ response: answer, headers: { ...answer.headers(), 'content-security-policy': policy } });
      });
      await tab.open(authorize());
      const { url } = await login(tab, someone.who);
      // Loaded once more: a page that a redirect led to passes no route.
      await tab.open(url.pathname);
      await tab.type({ otp: someone.phone.code() });
      const reported = tab.page.waitForEvent('console');
      await tab.page.getByRole('button', { name: t('action.continue') }).click({ noWaitAfter: true });
      expect((await reported).text()).toContain('form-action');
      expect(tab.complaints).toHaveLength(1);
    });
  });

  it('every cookie stays in the browser as it was meant: out of reach of scripts and of other sites', async () => {
    const { who, phone } = await enrolled('Ratri Anjani');
    const tab = await browser.openTab({ origin: site.origin });
    await tab.open('/login');
    await tab.press('RESET');
    await tab.open('/reset/password');
    await tab.open('/demo/dms/login');
    await login(tab, who);
    await enter(tab, phone.code());
    const cookies = await tab.context.cookies();
    expect(cookies.length).toBeGreaterThan(5);
    for (const { name, httpOnly, sameSite, domain, value } of cookies) {
      expect({ name, httpOnly, sameSite, domain }).toEqual({
        name,
        httpOnly: true,
        sameSite: 'Lax',
        domain: 'localhost',
      });
      expect(name.length + value.length).toBeLessThan(4096);
    }
    expect(await tab.ask('document.cookie')).toBe('');
    await tab.close();
  });

  it('the way back shows no key, no recovery code and nobody who has left', async () => {
    const who = demoPerson('Wening Prasasti');
    const tab = await browser.openTab({ origin: site.origin, caches: true });
    // A page that Chromium has kept comes back without being loaded; its end is there either way.
    const back = async (): Promise<string> => {
      await tab.page.goBack({ waitUntil: 'commit' });
      await tab.page.locator('footer').waitFor();
      return tab.page.content();
    };
    await tab.open('/reset');
    await activate(tab, { site, clock, who });
    await tab.open('/login');
    await login(tab, who);
    const secret = await readKey(tab);
    await tab.type({ otp: authenticator(secret, clock).code(), device_name: 'Ponsel' });
    await tab.press('Submit');
    const codes = await tab.page.locator('.codes li').allInnerTexts();
    await tab.page.locator('#saved').check();
    expect((await tab.press(t('signIn.codes.continue', { service: 'ASN Digital' }))).page).toBe('launcher');

    for (let steps = 0; steps < 3; steps += 1) {
      const html = await back();
      for (const hidden of [secret, secret.slice(0, 4) + '</span>', ...codes]) expect(html).not.toContain(hidden);
    }
    await tab.open('/');
    expect((await tab.press(t('shell.signOut'))).page).toBe('sign-out/done');
    expect(await back()).not.toContain(who.name);
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });

  it('the address of a login opens nothing in another browser', async () => {
    const { who, phone } = await enrolled('Panji Wirawan');
    const [mine, theirs] = await Promise.all([
      browser.openTab({ origin: site.origin }),
      browser.openTab({ origin: site.origin, locale: 'en' }),
    ]);
    await mine.open('/login');
    const first = (await mine.look()).url.pathname;
    await login(mine, who);
    for (const path of [first, (await mine.look()).url.pathname]) {
      const [answer] = await Promise.all([
        theirs.page.waitForResponse((response) => response.request().isNavigationRequest()),
        theirs.page.goto(path),
      ]);
      expect(answer.status()).toBe(410);
      expect(await theirs.look()).toMatchObject({ page: 'expired', errors: ['flow_expired'] });
    }
    expect((await enter(mine, phone.code())).page).toBe('launcher');
    await Promise.all([mine.close(), theirs.close()]);
  });

  it('the whole login by keyboard, with the focus in sight at every stop', async () => {
    const { who, phone } = await enrolled('Kirana Dewanti');
    const tab = await browser.openTab({ origin: site.origin, size: 'desktop' });
    const { keyboard } = tab.page;
    /** Presses Tab until the wanted element has the focus. */
    const tabTo = async (selector: string): Promise<void> => {
      for (let stops = 0; stops < 25; stops += 1) {
        await keyboard.press('Tab');
        const here = await tab.ask<{ wanted: boolean; seen: boolean }>(`(() => {
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          const somewhere = document.activeElement !== document.body;
          return {
            wanted: somewhere && document.activeElement.matches('${selector}'),
            seen: !somewhere || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 3),
          };
        })()`);
        expect({ stop: stops, seen: here.seen }).toEqual({ stop: stops, seen: true });
        if (here.wanted) return;
      }
      throw new Error(`the keyboard does not reach ${selector}`);
    };
    const enterKey = (): Promise<Shown> => tab.arrive(() => keyboard.press('Enter'));

    await tab.open('/');
    await tabTo('.button');
    expect((await enterKey()).page).toBe('sign-in/password');
    await tabTo('#username');
    await keyboard.type(who.nip);
    await keyboard.press('Tab');
    await keyboard.type(PASSWORD);
    expect((await enterKey()).page).toBe('sign-in/otp');
    await tabTo('#otp');
    await keyboard.type('000000');
    expect((await enterKey()).errors).toEqual(['otp_invalid']);
    // A refused field gets the focus by itself.
    await tab.page.locator('#otp:focus').waitFor();
    await keyboard.type(phone.code());
    expect((await enterKey()).page).toBe('launcher');
    await tabTo('.tiles a[href*="/demo/"]');
    expect((await enterKey()).page).toBe('demo/home');
    await tab.open('/');
    await tabTo('.who button');
    expect((await enterKey()).page).toBe('sign-out/done');
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });
});
