import { Refusal, type RefusalCode } from '#src/kernel/refusal.js';
import { Busy } from '#src/security/hash-queue.js';
import { KeyValueUnavailable } from '#src/storage/key-value.js';
import { DatabaseUnavailable } from '#src/storage/postgres.js';
import type { Route } from '#src/web/route-table.js';
import { openToolkitSite, type Answer, type ToolkitSite } from './toolkit-site.js';

const SECRET = 'canary-in-the-message';
const withStatus = (status: number): Error => Object.assign(new Error(SECRET), { status });
/** What a handler throws, by its address. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  bug: () => new TypeError(SECRET),
  sql: () => Object.assign(new Error(`duplicate key ${SECRET}`), { code: '23505', detail: SECRET }),
  text: () => SECRET,
  nothing: () => undefined,
  frozen: () => Object.freeze({ status: 404, message: SECRET }),
  busy: () => new Busy(17),
  'busy-odd': () => new Busy(16.2),
  database: () => new DatabaseUnavailable(new Error('terminating connection')),
  'key-value': () => new KeyValueUnavailable(new Error('Command timed out')),
  'bad-request': () => withStatus(400),
  teapot: () => withStatus(418),
  'server-status': () => withStatus(503),
  throttled: () => new Refusal('throttled', { retryAfterSeconds: 29.3 }),
  too_large: () => new Refusal('invalid_input', { status: 413, reason: 'body too large' }),
};
const CODES: readonly RefusalCode[] = [
  'forbidden',
  'csrf_mismatch',
  'no_access',
  'not_found',
  'flow_expired',
  'unknown_host',
  'invalid_input',
];
for (const code of CODES) Object.assign(THROWN, { [code]: () => new Refusal(code, { reason: SECRET }) });

const routes: readonly Route[] = ['', '/api'].flatMap((prefix) => [
  ...Object.entries(THROWN).map(([name, make]): Route => ({
    method: 'GET',
    path: `${prefix}/${name}`,
    access: 'anyone',
    handle: () => {
      throw make();
    },
  })),
  {
    method: 'GET',
    path: `${prefix}/late`,
    access: 'anyone',
    handle: (ctx) => {
      ctx.body = 'half a page';
      ctx.status = 200;
      throw new Error(SECRET);
    },
  },
]);

let site: ToolkitSite;
beforeAll(async () => {
  site = await openToolkitSite({ routes: () => routes });
});
afterAll(() => site.stop());

const pageOf = ({ text }: Answer): string | undefined => /<main[^>]* data-page="([^"]*)"/.exec(text)?.[1];
const errorsOf = ({ text }: Answer): string[] =>
  [...text.matchAll(/data-error="([^"]*)"/g)].map(([, code = '']) => code);
const loggedFor = ({ headers }: Answer) =>
  site.log.lines.filter(
    ({ message, fields }) =>
      message !== 'request' && 'request_id' in fields && fields.request_id === headers['x-request-id'],
  );

describe('an error becomes a page (R-43)', () => {
  it.each([
    ['bug', 500, 'error', 'unavailable'],
    ['sql', 500, 'error', 'unavailable'],
    ['text', 500, 'error', 'unavailable'],
    ['nothing', 500, 'error', 'unavailable'],
    ['frozen', 500, 'error', 'unavailable'],
    ['late', 500, 'error', 'unavailable'],
    ['server-status', 500, 'error', 'unavailable'],
    ['busy', 503, 'busy', 'busy'],
    ['database', 503, 'busy', 'unavailable'],
    ['key-value', 503, 'busy', 'unavailable'],
    ['bad-request', 400, 'error', 'invalid_input'],
    ['teapot', 418, 'error', 'invalid_input'],
    ['throttled', 429, 'error', 'throttled'],
    ['too_large', 413, 'error', 'invalid_input'],
    ['invalid_input', 400, 'error', 'invalid_input'],
    ['forbidden', 403, 'error', 'forbidden'],
    ['csrf_mismatch', 403, 'error', 'csrf_mismatch'],
    ['no_access', 403, 'error', 'no_access'],
    ['not_found', 404, 'not-found', 'not_found'],
    ['flow_expired', 410, 'expired', 'flow_expired'],
    ['nowhere', 404, 'not-found', 'not_found'],
  ])('%s: %i', async (name, status, page, code) => {
    const answer = await site.ask(`/${name}`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(pageOf(answer)).toBe(page);
    expect(errorsOf(answer)).toEqual([code]);
    expect(answer.text).not.toContain(SECRET);
    expect(answer.text).not.toMatch(/\bat .+\.ts|node_modules|Error:|duplicate key|half a page/);
    expect(answer.text).toContain('</html>');
  });

  it.each(['en', 'id'])('in the language of the reader: %s', async (locale) => {
    const answer = await site.ask('/bug', { headers: { 'accept-language': locale } });
    expect(answer.headers['content-language']).toBe(locale);
    expect(answer.text).toContain(`<html lang="${locale}">`);
  });

  it('shows the request id that the log has, and the log has the stack', async () => {
    const answer = await site.ask('/bug');
    const id = answer.headers['x-request-id'];
    expect(answer.text).toContain(String(id));
    expect(loggedFor(answer)).toMatchObject([
      { level: 'error', message: 'unexpected error', fields: { error: 'TypeError', detail: SECRET, route: '/bug' } },
    ]);
    expect(JSON.stringify(loggedFor(answer))).toContain('error-boundary.test.ts');
  });

  it('logs a refusal with its reason, as nothing to worry about', async () => {
    const answer = await site.ask('/forbidden');
    expect(loggedFor(answer)).toMatchObject([
      { level: 'info', message: 'refused', fields: { code: 'forbidden', reason: SECRET, route: '/forbidden' } },
    ]);
  });

  it('logs why the database was not there', async () => {
    const answer = await site.ask('/database');
    expect(loggedFor(answer)).toMatchObject([
      { fields: { reason: 'the database is not available: terminating connection' } },
    ]);
  });
});

describe('Retry-After (R-25, R-62)', () => {
  it.each([
    ['busy', '17'],
    ['busy-odd', '17'],
    ['throttled', '30'],
    ['bug', undefined],
    ['forbidden', undefined],
    ['not_found', undefined],
  ])('of %s is %s, in whole seconds', async (name, seconds) => {
    const answer = await site.ask(`/${name}`);
    expect(answer.headers['retry-after']).toBe(seconds);
    if (name.startsWith('busy')) expect(answer.text).toMatch(/data-retry-after="1[67](\.2)?"/);
  });

  it.each(['database', 'key-value'])('is spread from 5 to 29 seconds when the %s is away', async (name) => {
    const waits = await Promise.all(
      Array.from({ length: 60 }, async () => Number((await site.ask(`/${name}`)).headers['retry-after'])),
    );
    expect(waits.every((wait) => Number.isInteger(wait) && wait >= 5 && wait <= 29)).toBe(true);
    expect(new Set(waits).size).toBeGreaterThan(8);
  });
});

describe('an error of the API becomes a problem document (RFC 9457)', () => {
  it.each([
    ['bug', 500, 'unavailable'],
    ['sql', 500, 'unavailable'],
    ['late', 500, 'unavailable'],
    ['busy', 503, 'busy'],
    ['database', 503, 'unavailable'],
    ['forbidden', 403, 'forbidden'],
    ['not_found', 404, 'not_found'],
    ['nowhere', 404, 'not_found'],
    ['throttled', 429, 'throttled'],
    ['bad-request', 400, 'invalid_input'],
  ])('%s: %i', async (name, status, code) => {
    const answer = await site.ask(`/api/${name}`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(answer.text)).toEqual({ type: 'about:blank', title: code, status, code });
    expect(answer.cookies).toEqual([]);
  });
});

it('a host of others gets no page at all', async () => {
  const answer = await site.ask('/unknown_host');
  expect(answer.status).toBe(421);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
});

it('HEAD has the status and no body', async () => {
  const answer = await site.ask('/bug', { method: 'HEAD' });
  expect([answer.status, answer.text]).toEqual([500, '']);
});

it('a broken error page is an answer still: the status, the headers, and the cause of both in the log', async () => {
  const broken = await openToolkitSite({
    routes: () => routes,
    render: () => {
      throw new Error('the template is broken');
    },
  });
  for (const [path, status] of [
    ['/bug', 500],
    ['/forbidden', 403],
    ['/nowhere', 404],
  ] as const) {
    const answer = await broken.ask(path);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.text).not.toContain('broken');
  }
  const messages = broken.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  expect(messages).toEqual(['unexpected error', ...Array<string>(3).fill('the error page is broken')]);
  await broken.stop();
});

it('the program lives on after a hundred bugs', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => site.ask('/bug')));
  expect(answers.every(({ status }) => status === 500)).toBe(true);
  expect((await site.ask('/forbidden')).status).toBe(403);
});
