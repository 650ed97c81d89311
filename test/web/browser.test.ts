import { randomBytes } from 'node:crypto';
import { createKeyedDigest } from '#src/security/digests.js';
import { createKnownBrowsers } from '#src/throttle/known-browsers.js';
import type { Route } from '#src/web/route-table.js';
import { rememberBrowser, visitorOf } from '#src/web/visitor.js';
import { cookiesOf, openToolkitSite, type Answer, type ToolkitSite } from './toolkit-site.js';

const known = createKnownBrowsers(createKeyedDigest(randomBytes(32)));
let site: ToolkitSite;
beforeAll(async () => {
  site = await openToolkitSite({
    routes: (write): Route[] => [
      {
        method: 'GET',
        path: '/page',
        access: 'anyone',
        handle: (ctx) => {
          write(ctx, 'front', {});
          ctx.body = JSON.stringify(visitorOf(ctx));
        },
      },
      {
        method: 'GET',
        path: '/data',
        access: 'anyone',
        handle: (ctx) => {
          ctx.body = JSON.stringify(visitorOf(ctx));
        },
      },
      {
        method: 'GET',
        path: '/logged-in/:who',
        access: 'anyone',
        handle: (ctx) => {
          const { who } = ctx.params as { who: string };
          rememberBrowser(ctx, known, who);
          ctx.body = '';
        },
      },
    ],
  });
});
afterAll(() => site.stop());

interface Seen {
  readonly browserId: string;
  readonly locale: string;
  readonly address: string;
  readonly requestId: string;
  readonly knownBrowser?: string;
}
const seen = (answer: Answer): Seen => JSON.parse(answer.text) as Seen;
const open = (headers: Readonly<Record<string, string>> = {}, path = '/page'): Promise<Answer> =>
  site.ask(path, { headers });

describe('a browser', () => {
  it('gets an id of 128 random bits with its first page, and keeps it', async () => {
    const first = await open();
    expect(seen(first).browserId).toMatch(/^[A-Za-z0-9_-]{22}$/);
    const again = await open({ cookie: cookiesOf(first) });
    expect(seen(again).browserId).toBe(seen(first).browserId);
    expect(again.cookies).toEqual([]);
    expect(seen(await open()).browserId).not.toBe(seen(first).browserId);
  });

  it('gets a new id in place of one that we did not give (R-27)', async () => {
    const answer = await open({ cookie: 'browser=planted; browser.sig=AAAAAAAAAAAAAAAAAAAAAAAAAAA' });
    expect(seen(answer).browserId).not.toBe('planted');
    expect(cookiesOf(answer)).toContain(`browser=${seen(answer).browserId}`);
  });

  it('gets no cookie with what is no page', async () => {
    expect((await open({}, '/data?lang=en')).cookies).toEqual([]);
  });

  it('is told to the slices as who sits there', async () => {
    const answer = await open();
    expect(seen(answer)).toEqual({
      browserId: expect.any(String) as string,
      address: '127.0.0.1',
      agent: { browser: '', system: '' },
      locale: 'id',
      requestId: answer.headers['x-request-id'],
    });
  });

  it('remembers those who logged in fully, for a year, and shows it only to us (R-20)', async () => {
    const first = await open({}, '/logged-in/sari');
    const second = await open({ cookie: cookiesOf(first) }, '/logged-in/budi');
    const { knownBrowser } = seen(await open({ cookie: cookiesOf(second) }));
    expect(known.find(knownBrowser, 'sari')).toBeDefined();
    expect(known.find(knownBrowser, 'budi')).toBeDefined();
    expect(known.find(knownBrowser, 'other')).toBeUndefined();
    expect(second.cookies.join()).not.toMatch(/sari|budi/);
    const days =
      (Date.parse(/known=.*?expires=([^;]*)/.exec(second.cookies.join('\n'))?.[1] ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(365);
    const forged = cookiesOf(second).replace(/known=[^;]*/, `known=${known.remember(undefined, 'sari')}`);
    expect(seen(await open({ cookie: forged })).knownBrowser).toBeUndefined();
  });
});

describe('the language', () => {
  it.each<[string, string, string, string]>([
    ['nothing said', '/page', '', 'id'],
    ['English wished', '/page', 'en-GB,en;q=0.9', 'en'],
    ['Indonesian wished', '/page', 'id,en;q=0.5', 'id'],
    ['neither', '/page', 'de', 'id'],
    ['asked for', '/page?lang=en', 'id', 'en'],
    ['asked for, the other way', '/page?lang=id', 'en', 'id'],
    ['asked for in vain', '/page?lang=de', 'en', 'en'],
    ['asked for twice', '/page?lang=en&lang=id', 'id', 'id'],
    ['asked for as an array', '/page?lang[]=en', 'id', 'id'],
  ])('%s', async (_, path, accept, locale) => {
    const answer = await open(accept === '' ? {} : { 'accept-language': accept }, path);
    expect(seen(answer).locale).toBe(locale);
    expect(answer.headers['content-language']).toBe(locale);
    expect(answer.headers.vary).toMatch(/accept-language/i);
  });

  it('is remembered once it was asked for, and asked for anew at any time', async () => {
    const first = await open({}, '/page?lang=en');
    const cookie = cookiesOf(first);
    expect(seen(await open({ cookie, 'accept-language': 'id' })).locale).toBe('en');
    const other = await open({ cookie }, '/page?lang=id');
    expect(seen(other).locale).toBe('id');
    expect(other.cookies.join()).toContain('lang=id');
  });

  it('never keeps a page from being shown: an odd query is a page in some language', async () => {
    for (const query of ['lang=en&lang=en', 'lang', 'lang=', 'lang=%FF', '%', '&&&', '__proto__=x']) {
      expect((await open({}, `/page?${query}`)).status).toBe(200);
    }
  });
});
