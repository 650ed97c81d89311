import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { createMailDelivery } from '#src/mail/delivery.js';
import { createSmtpTransport } from '#src/mail/smtp.js';
import type { MailTransport } from '#src/mail/transport.js';
import type { Delivery } from '#src/outbox/worker.js';
import { startMailbox, type Mailbox } from '../support/mailbox.js';
import { unusedPort } from '../support/unused-port.js';
import type { SMTPServerOptions } from 'smtp-server';

const FROM = 'SSO ASN <no-reply@sso.test>';
const ID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const createdAt = new Date('2026-11-23T00:30:00Z');

let closing: (() => void | Promise<void>)[];
beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

const mailbox = async (behaviour?: SMTPServerOptions): Promise<Mailbox> => {
  const started = await startMailbox(behaviour);
  closing.push(() => started.stop());
  return started;
};
const transportTo = (url: string, more: { requireTls?: boolean; timeoutMs?: number } = {}): MailTransport => {
  const transport = createSmtpTransport({ url, from: FROM, requireTls: false, ...more });
  closing.push(() => {
    transport.close();
  });
  return transport;
};
const deliver = (
  transport: MailTransport,
  {
    address = 'siti@contoh.test',
    name,
    id = ID,
    signal,
  }: { address?: string; name?: string; id?: string; signal?: AbortSignal } = {},
): Promise<Delivery> =>
  createMailDelivery({ transport })(
    {
      id,
      createdAt,
      payload: {
        mail: 'reset-code',
        to: { address, name },
        subject: 'Kode reset — SSO ASN\r\nBcc: e@x.test',
        text: 'Kode: 7K3PQ-9XWMA',
        html: '<p>Kode: <b>7K3PQ-9XWMA</b></p>',
      },
    },
    signal ?? new AbortController().signal,
  );

/** A server that speaks as told, line by line, and can hang or die where no well-bred one would. */
const rudeServer = async (onConnection: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

test('a mail arrives once, with both texts, a stable id, its date and no wish for automatic answers', async () => {
  const box = await mailbox();
  expect(await deliver(transportTo(box.url), { name: 'Siti Rahma, S.Kom.' })).toEqual({ kind: 'delivered' });
  const mail = await box.next('siti@contoh.test');
  expect(mail).toMatchObject({ from: 'no-reply@sso.test', to: ['siti@contoh.test'], messageId: `<${ID}@sso.test>` });
  expect(mail.text.trim()).toBe('Kode: 7K3PQ-9XWMA');
  expect(mail.html).toContain('<b>7K3PQ-9XWMA</b>');
  const header = (key: string) => mail.headers.filter((line) => line.key === key).map(({ value }) => value);
  expect(header('auto-submitted')).toEqual(['auto-generated']);
  expect(header('to')).toEqual(['"Siti Rahma, S.Kom." <siti@contoh.test>']);
  expect(header('from')).toEqual(['SSO ASN <no-reply@sso.test>']);
  expect(new Date(header('date')[0] ?? '')).toEqual(createdAt);
  expect(header('bcc')).toEqual([]);
  expect(mail.subject).toBe('Kode reset — SSO ASN Bcc: e@x.test');
});

test.each([
  ['a second header', 'a@x.test\r\nBcc: e@x.test'],
  ['a list', 'a@x.test, e@x.test'],
  ['a semicolon', 'a@x.test;e@x.test'],
  ['a display name', 'Siti <a@x.test>'],
])('an address with %s is refused before any server hears of it', async (_, address) => {
  const box = await mailbox();
  expect(await deliver(transportTo(box.url), { address })).toEqual({ kind: 'refused', reason: 'address' });
  expect(box.mails).toEqual([]);
});

test.each(['Siti\r\nBcc: e@x.test', 'e@x.test,', '<e@x.test>', '"e@x.test" <e@x.test>;', 'Sıtı 😀'])(
  'the display name %j brings in no recipient and no header',
  async (name) => {
    const box = await mailbox();
    expect(await deliver(transportTo(box.url), { name })).toEqual({ kind: 'delivered' });
    const mail = await box.next('siti@contoh.test');
    expect(mail.to).toEqual(['siti@contoh.test']);
    expect(mail.headers.map(({ key }) => key).filter((key) => ['bcc', 'cc'].includes(key))).toEqual([]);
    expect(mail.headers.filter(({ key }) => key === 'to')).toHaveLength(1);
  },
);

const failing = (responseCode: number) => Object.assign(new Error('see <siti@contoh.test>'), { responseCode });

test.each<[string, SMTPServerOptions, Delivery]>([
  [
    'refuses the recipient for good',
    {
      onRcptTo: (_a, _s, done) => {
        done(failing(550));
      },
    },
    { kind: 'refused', reason: 'smtp_550' },
  ],
  [
    'greylists',
    {
      onRcptTo: (_a, _s, done) => {
        done(failing(451));
      },
    },
    { kind: 'retry', reason: 'smtp_451' },
  ],
  [
    'refuses the content for good',
    {
      onData: (stream, _s, done) => {
        stream.resume().on('end', () => {
          done(failing(554));
        });
      },
    },
    { kind: 'refused', reason: 'smtp_554' },
  ],
  [
    'is full',
    {
      onData: (stream, _s, done) => {
        stream.resume().on('end', () => {
          done(failing(452));
        });
      },
    },
    { kind: 'retry', reason: 'smtp_452' },
  ],
  // Ours to mend: the mail waits for it.
  [
    'refuses our sender',
    {
      onMailFrom: (_a, _s, done) => {
        done(failing(550));
      },
    },
    { kind: 'retry', reason: 'smtp_550' },
  ],
  [
    'wants a login',
    { authOptional: false, disabledCommands: ['STARTTLS'], allowInsecureAuth: true },
    { kind: 'retry', reason: 'smtp_530' },
  ],
])('when the server %s, says so without its words', async (_, behaviour, delivery) => {
  const box = await mailbox(behaviour);
  expect(await deliver(transportTo(box.url))).toEqual(delivery);
});

test('a refused login keeps the mail waiting', async () => {
  const box = await mailbox({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (_auth, _session, done) => {
      done(failing(535));
    },
  });
  const url = box.url.replace('//', '//user:p%40ss@');
  expect(await deliver(transportTo(url))).toEqual({ kind: 'retry', reason: 'smtp_535' });
});

test('logs in with the user and password of the address', async () => {
  let seen: unknown;
  const box = await mailbox({
    authOptional: false,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) => {
      seen = { username, password };
      done(null, { user: username });
    },
  });
  const url = box.url.replace('//', '//user:p%40ss@');
  expect(await deliver(transportTo(url))).toEqual({ kind: 'delivered' });
  expect(seen).toEqual({ username: 'user', password: 'p@ss' });
});

test('a server that is away is tried again', async () => {
  const transport = transportTo(`smtp://127.0.0.1:${await unusedPort()}`);
  expect(await deliver(transport)).toEqual({ kind: 'retry', reason: 'ECONNREFUSED' });
});

test("a server that hangs up at once is called once an attempt: repetition is the outbox's business", async () => {
  let calls = 0;
  const url = await rudeServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  expect(await deliver(transportTo(url))).toMatchObject({ kind: 'retry' });
  expect(calls).toBe(1);
});

test('a server that accepts and hangs is left after its deadline', async () => {
  const url = await rudeServer(() => undefined);
  expect(await deliver(transportTo(url, { timeoutMs: 100 }))).toEqual({ kind: 'retry', reason: 'ETIMEDOUT' });
});

test('a server that trickles is left when the worker says so', async () => {
  const url = await rudeServer((socket) => {
    const timer = setInterval(() => socket.write('220-patience\r\n'), 20);
    socket.on('close', () => {
      clearInterval(timer);
    });
  });
  const signal = AbortSignal.timeout(200);
  expect(await deliver(transportTo(url), { signal })).toEqual({ kind: 'retry', reason: 'EABORT' });
});

test('a server that dies after DATA gets the mail again only from the outbox, under the same id', async () => {
  const bodies: string[] = [];
  let polite = false;
  const url = await rudeServer((socket) => {
    let text = '';
    let inData = false;
    socket.write('220 rude\r\n');
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (inData) {
        if (!text.endsWith('\r\n.\r\n')) return;
        bodies.push(text);
        inData = false;
        text = '';
        if (polite) socket.write('250 taken\r\n');
        else socket.destroy();
        return;
      }
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const command = text.slice(0, end).toUpperCase();
        text = text.slice(end + 2);
        if (command === 'DATA') {
          inData = true;
          socket.write('354 go\r\n');
        } else socket.write('250 fine\r\n');
      }
    });
  });
  const transport = transportTo(url);
  expect(await deliver(transport)).toMatchObject({ kind: 'retry' });
  expect(bodies).toHaveLength(1);
  polite = true;
  expect(await deliver(transport)).toEqual({ kind: 'delivered' });
  expect(bodies).toHaveLength(2);
  const ids = bodies.map((body) => /^Message-ID: (.*)$/im.exec(body)?.[1]);
  expect(ids).toEqual([`<${ID}@sso.test>`, `<${ID}@sso.test>`]);
});

test('a mail is not sent to a server without the STARTTLS that was demanded', async () => {
  const box = await mailbox();
  expect(await deliver(transportTo(box.url, { requireTls: true }))).toMatchObject({ kind: 'retry' });
  expect(box.mails).toEqual([]);
});

test('a mail is not sent under a certificate that nobody vouches for', async () => {
  const box = await mailbox({ disabledCommands: [] });
  expect(await deliver(transportTo(box.url, { requireTls: true }))).toMatchObject({ kind: 'retry' });
  expect(box.mails).toEqual([]);
});

test.each(['smtp://mail.bkn.test', 'smtp://10.0.0.1:25', 'smtp://localhost.evil.test'])(
  'refuses to waive STARTTLS for %s',
  (url) => {
    expect(() => createSmtpTransport({ url, from: FROM, requireTls: false })).toThrow('loopback');
  },
);

test('sends many mails over a few connections', async () => {
  let connections = 0;
  const box = await mailbox({
    onConnect: (_session, done) => {
      connections += 1;
      done();
    },
  });
  const transport = transportTo(box.url);
  const ids = Array.from({ length: 60 }, (_, i) => `0f8fad5b-d9cb-469f-a165-${String(i).padStart(12, '0')}`);
  const deliveries = await Promise.all(ids.map((id) => deliver(transport, { id })));
  expect(deliveries.every(({ kind }) => kind === 'delivered')).toBe(true);
  expect(box.mails).toHaveLength(60);
  expect(connections).toBeLessThanOrEqual(5);
});
