import { jest } from '@jest/globals';
import type { SMTPServerOptions } from 'smtp-server';
import { addEmployees, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { forEach } from '../support/for-each.js';
import { CAPTCHA, openInstallation, type Installation } from '../support/installation.js';
import { startMailbox, type Mailbox } from '../support/mailbox.js';
import { eventually } from '../support/processes.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { formOn } from '../support/visitor.js';

/** R-68, F-11, F-23: the mail server is away or behaves badly, and nobody waits for it. */
jest.setTimeout(60_000);

type Manner = 'well' | 'later' | 'never' | 'deaf';

let database: TestDatabase;
let mailbox: Mailbox;
/** A mail server that dies when it has heard a mail and before it says so. */
let dying: Mailbox;
/** The ids of the mails it heard. */
let heard: string[];
let link: TcpProxy;
let house: Installation;
let employees: Employee[];
let manner: Manner = 'well';

const refusal = (responseCode: number): Error => Object.assign(new Error('no'), { responseCode });

beforeAll(async () => {
  heard = [];
  const manners: SMTPServerOptions = {
    onMailFrom: (_address, _session, callback) => {
      callback(manner === 'later' ? refusal(451) : null);
    },
    onRcptTo: (_address, _session, callback) => {
      callback(manner === 'never' ? refusal(550) : null);
    },
  };
  mailbox = await startMailbox(manners);
  dying = await startMailbox({
    onData: (stream) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on('end', () => {
        heard.push(/^Message-ID: *(\S+)/im.exec(text)?.[1] ?? '');
        manner = 'well';
        link.refuse();
        link.heal();
      });
    },
  });
  link = await startTcpProxy(() => [Number(new URL((manner === 'deaf' ? dying : mailbox).url).port)]);
  database = await createTestDatabase();
  house = await openInstallation({
    databaseUrl: database.url,
    mailbox,
    settings: { SMTP_URL: `smtp://127.0.0.1:${link.port}` },
  });
  await house.start();
  employees = await addEmployees(house.services, { count: 120, state: 'new' });
});
afterAll(async () => {
  await house.stop();
  await link.stop();
  await Promise.all([mailbox.stop(), dying.stop()]);
  await database.drop();
});
afterEach(() => {
  expect(house.errors().filter((line) => (line as { msg: string }).msg !== 'outbox message given up')).toEqual([]);
});

let addresses = 0;

/** So many people ask for a code by mail; answers how long the page took, and who they are. */
async function askForCodes(count: number): Promise<{ people: Employee[]; medianMs: number }> {
  const people = employees.splice(0, count);
  const times = await forEach(people, async (person) => {
    addresses += 1;
    const visitor = house.visitor({ address: `10.5.0.${addresses}` });
    const start = formOn(await visitor.ask('/reset/password'), '/reset/password');
    const typed = { ...start.form, username: person.nip, captcha: CAPTCHA };
    const { path, form } = formOn(await visitor.follow(start.path, { form: typed }), '/email');
    const answer = await visitor.ask(path, { form: { ...form, email: person.email } });
    expect(answer.location).toBe('/reset/password/code');
    visitor.close();
    return answer.ms;
  });
  times.sort((a, b) => a - b);
  return { people, medianMs: times[Math.floor(times.length / 2)] ?? 0 };
}

const mailsTo = (person: Employee): number => mailbox.mails.filter(({ to }) => to.includes(person.email)).length;
const all = (people: readonly Employee[], times: number) => (): boolean =>
  people.every((person) => mailsTo(person) >= times);
/** Rows of the outbox that stand so. */
const outbox = (where: string): Promise<readonly object[]> =>
  house.services.db.query(`SELECT id FROM outbox WHERE ${where}`);

interface Outage {
  readonly name: string;
  readonly begin: () => void;
  readonly end: () => void;
}
const outages: Outage[] = [
  {
    name: 'refused',
    begin: () => {
      link.refuse();
    },
    end: () => {
      link.heal();
    },
  },
  {
    name: 'silent',
    begin: () => {
      link.blackhole();
    },
    end: () => {
      link.heal();
    },
  },
  {
    name: 'told to come later (451)',
    begin: () => {
      manner = 'later';
    },
    end: () => {
      manner = 'well';
    },
  },
];

describe('the mail server', () => {
  let usualMs: number;

  it('is well: codes leave at once', async () => {
    const { people, medianMs } = await askForCodes(20);
    usualMs = medianMs;
    await eventually('all mails', all(people, 1), 2_000);
  });

  it.each(outages)('$name: the page is as fast as ever, and every mail leaves once it is back', async (outage) => {
    outage.begin();
    const { people, medianMs } = await askForCodes(12);
    await eventually('an attempt', async () => (await outbox('attempts > 0')).length > 0);
    expect(people.map(mailsTo)).toEqual(people.map(() => 0));
    outage.end();
    const mended = performance.now();
    await eventually('all mails', all(people, 1), 30_000);
    figures(outage.name, { usualMs, medianMs, allAfterMs: Math.round(performance.now() - mended) });
    expect(people.map(mailsTo)).toEqual(people.map(() => 1));
    // Sent within the request, a mail to a silent server would take ten seconds.
    expect(medianMs).toBeLessThan(2 * usualMs + 50);
  });

  it('dies when it has heard a mail: that one comes again, under the same id', async () => {
    manner = 'deaf';
    // Open connections lead elsewhere.
    link.refuse();
    link.heal();
    const { people } = await askForCodes(1);
    await eventually('the mail', all(people, 1), 30_000);
    expect(heard).toHaveLength(1);
    expect(
      mailbox.mails.filter(({ to }) => to.includes(people[0]?.email ?? '')).map(({ messageId }) => messageId),
    ).toEqual(heard);
  });

  it('wants nothing for one address (550): that mail is given up, and the next one to it may go', async () => {
    manner = 'never';
    const { people } = await askForCodes(1);
    await eventually('the mail to be given up', async () => (await outbox('dead_at IS NOT NULL')).length === 1);
    expect(await outbox('dead_at IS NOT NULL AND payload IS NOT NULL')).toEqual([]);
    manner = 'well';
    employees.unshift(...people);
    await askForCodes(1);
    await eventually('the next mail', all(people, 1), 2_000);
    expect(people.map(mailsTo)).toEqual([1]);
  });

  it('is back too late: a code that has expired is not sent', async () => {
    link.refuse();
    const { people } = await askForCodes(3);
    await eventually(
      'an attempt',
      async () => (await outbox('last_error IS NOT NULL AND dead_at IS NULL')).length === 3,
    );
    await house.services.db.query(`UPDATE outbox SET expires_at = $1, next_attempt_at = $1 WHERE dead_at IS NULL`, [
      new Date(),
    ]);
    link.heal();
    await eventually('the outbox to be empty', async () => (await outbox('dead_at IS NULL')).length === 0);
    expect(people.map(mailsTo)).toEqual([0, 0, 0]);
  });
});
