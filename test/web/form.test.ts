import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { pickFields } from '#src/web/form.js';
import { Refusal } from '#src/kernel/refusal.js';
import { cookiesOf, openToolkitSite, posted, type Answer, type Ask, type ToolkitSite } from './toolkit-site.js';

const FORM = 'application/x-www-form-urlencoded';

let site: ToolkitSite;
let cookie: string;
let csrf: string;
/** What the handler got, of the forms that came so far. */
let received: Record<string, string>[];

beforeAll(async () => {
  site = await openToolkitSite({
    routes: (write, tokens) => [
      {
        method: 'GET',
        path: '/form',
        access: 'anyone',
        handle: (ctx) => {
          write(ctx, 'front', {});
          ctx.body = tokens.issue(ctx);
        },
      },
      {
        method: 'POST',
        path: '/form',
        access: 'anyone',
        handle: (ctx, fields) => {
          received.push({ ...pickFields(fields, ['username', 'password']) });
          ctx.body = 'taken';
        },
      },
    ],
  });
  const form = await site.ask('/form');
  cookie = cookiesOf(form);
  csrf = form.text;
});
beforeEach(() => {
  received = [];
});
afterAll(() => site.stop());

const send = (
  fields: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  site.ask(
    '/form',
    posted(typeof fields === 'string' ? `csrf=${csrf}&${fields}` : { csrf, ...fields }, { cookie, ...headers }),
  );
const sendRaw = (ask: Ask): Promise<Answer> =>
  site.ask('/form', { method: 'POST', ...ask, headers: { cookie, ...ask.headers } });

describe('a posted form (R-47)', () => {
  it.each([
    ['plain words', { username: 'sari', password: 'Sandi 2026' }],
    ['signs', { username: 'a&b=c;d%20+e', password: '"<>\'\\\r\n\t%' }],
    ['letters of all kinds', { username: 'é秘📱', password: 'R\u00e9 Re\u0301' }],
    ['nothing', { username: '', password: '' }],
  ])('arrives as it was typed: %s', async (_, fields) => {
    expect(await send(fields)).toMatchObject({ status: 200, text: 'taken' });
    expect(received).toEqual([fields]);
  });

  it('has an empty text for a field that was not sent', async () => {
    await send('username=sari');
    await send('username');
    await send('username=sari&&password=x=y=z&');
    expect(received).toEqual([
      { username: 'sari', password: '' },
      { username: '', password: '' },
      { username: 'sari', password: 'x=y=z' },
    ]);
  });

  it.each([
    ['a field twice', 'username=a&username=b'],
    ['a field twice, once escaped', 'username=a&%75sername=b'],
    ['the token twice', 'csrf=x&username=a'],
    ['an unknown field', 'username=a&role=operator'],
    ['an unknown field without a name', 'username=a&=x'],
    ['an array', 'username[]=a'],
    ['__proto__', '__proto__=x'],
    ['__proto__ as a path', '__proto__[admin]=true'],
    ['constructor', 'constructor=x'],
    ['toString', 'toString=x'],
    ['what is no UTF-8', 'username=%FF'],
    ['a letter in too many bytes', 'username=%C0%AF'],
    ['half a letter', 'username=%ED%A0%80'],
    ['an escape cut short', 'username=%4'],
    ['an escape of nothing', 'username=100%'],
    ['3,000 fields', Array.from({ length: 3_000 }, (__, index) => `${index.toString(36)}=`).join('&')],
  ])('is refused with %s (A7, A37)', async (_, body) => {
    const answer = await send(body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('data-error="invalid_input"');
    expect(received).toEqual([]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('is refused when its bytes are no UTF-8', async () => {
    const body = Buffer.concat([Buffer.from(`csrf=${csrf}&username=`), Buffer.from([0xff, 0xfe])]);
    expect((await sendRaw({ ...posted(''), body, headers: { ...posted('').headers } })).status).toBe(400);
    expect(received).toEqual([]);
  });

  it.each([
    ['JSON', 'application/json', '{"csrf":"x"}'],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['plain text', 'text/plain', 'csrf=x'],
    ['XML', 'application/xml', '<a/>'],
    ['no kind at all', '', 'csrf=x'],
    ['a kind that cannot be read', ';;;', 'csrf=x'],
  ])('is refused as %s', async (_, type, body) => {
    const answer = await sendRaw({ headers: { 'content-type': type }, body });
    expect(answer.status).toBe(415);
    expect(received).toEqual([]);
  });

  it('without a body has no token and is refused', async () => {
    expect((await sendRaw(posted(''))).status).toBe(403);
    expect((await sendRaw({})).status).toBe(415);
  });
});

describe('a body too large (R-48)', () => {
  const KIB = 1024;

  it('is one of more than 16 KiB', async () => {
    const filled = (bytes: number): string => {
      const body = `csrf=${csrf}&username=`;
      return body + 'x'.repeat(bytes - body.length);
    };
    expect((await sendRaw(posted(filled(16 * KIB)))).status).toBe(200);
    expect((await sendRaw(posted(filled(16 * KIB + 1)))).status).toBe(413);
    expect(received).toHaveLength(1);
  });

  it('is refused before it is read, when its length was told', async () => {
    const answer = await site.raw(
      `POST /form HTTP/1.1\r\nHost: sso.example:3000\r\nContent-Type: ${FORM}\r\nContent-Length: ${2 ** 40}\r\n\r\ncsrf=`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    // Of this answer, not of the one that the deadline would bring.
    expect(answer.split('\r\n\r\n')[0]).toMatch(/\r\nConnection: close$/im);
  });

  it('is refused while it is read, when its length was not told, and the answer arrives', async () => {
    const chunk = `${(1000).toString(16)}\r\n${'x'.repeat(1000)}\r\n`;
    const answer = await site.raw(
      `POST /form HTTP/1.1\r\nHost: sso.example:3000\r\nContent-Type: ${FORM}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(40)}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('data-error="invalid_input"');
  });

  it('of 10 MB leaves the server as it was', async () => {
    await sendRaw(posted(`csrf=${csrf}&username=${'x'.repeat(10_000_000)}`)).catch(() => undefined);
    expect((await send({ username: 'sari' })).status).toBe(200);
  });
});

it("a body broken off is the client's fault and no bug (F-20)", async () => {
  const before = site.log.lines.length;
  const head = `POST /form HTTP/1.1\r\nHost: sso.example:3000\r\nContent-Type: ${FORM}\r\nContent-Length: 100\r\n\r\n`;
  connect(site.port, '127.0.0.1').end(`${head}csrf=`);
  const seen = () => site.log.lines.slice(before).filter(({ message }) => message !== 'request');
  while (seen().length === 0) await setImmediate();
  expect(seen()).toMatchObject([
    { level: 'info', message: 'refused', fields: { code: 'invalid_input', reason: 'body broken off' } },
  ]);
});

describe('fields by their names', () => {
  it('are those the form has, and no others', () => {
    expect(
      pickFields(
        new Map([
          ['a', '1'],
          ['csrf', 'x'],
        ]),
        ['a', 'b'],
      ),
    ).toEqual({ a: '1', b: '' });
    expect(() =>
      pickFields(
        new Map([
          ['a', '1'],
          ['c', '2'],
        ]),
        ['a', 'b'],
      ),
    ).toThrow(Refusal);
    expect(() => pickFields(new Map([['__proto__', '1']]), [])).toThrow(Refusal);
  });
});
