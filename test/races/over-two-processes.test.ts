import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import { attemptId } from '#src/kernel/ids.js';
import * as attempts from '#src/sign-in/attempt-store.js';
import { createFormTokens } from '#src/web/csrf.js';
import { codeIn as mailedCodeIn } from '../journeys/steps.js';
import { askAsDevice, startDevice } from '../support/device-client.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { forEach } from '../support/for-each.js';
import { CAPTCHA, openInstallation, type Installation } from '../support/installation.js';
import { attribute } from '../support/person.js';
import { hasRedis, startRedis, type RedisServer } from '../support/redis.js';
import {
  assertion,
  authorizationRequest,
  codeIn,
  errorIn,
  push,
  rotating,
  SIGNING,
  tokensIn,
  userinfo,
} from '../support/relying-party.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { totp } from '../support/totp.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';
import { expectOnce, ITEMS, judge, range, tally, USES } from './contest.js';

/**
 * everything that may be used once is used sixteen times at once, spread over two processes
 * of the built program, and accepted exactly once.
 */
jest.setTimeout(240_000);

let database: TestDatabase;
let redis: RedisServer | undefined;
let house: Installation;
let ports: readonly number[];
/** The relying party's back channel. */
let channel: Visitor;

beforeAll(async () => {
  database = await createTestDatabase();
  redis = hasRedis ? await startRedis() : undefined;
  const settings = redis === undefined ? {} : { REDIS_URL: redis.url };
  house = await openInstallation({ databaseUrl: database.url, settings });
  ports = (await Promise.all([house.start(), house.start()])).map(({ port }) => port);
  channel = house.visitor();
});
afterAll(async () => {
  channel.close();
  await house.stop();
  await redis?.stop();
  await database.drop();
});
afterEach(() => {
  expect(house.errors().slice(0, 3)).toEqual([]);
});

/** One thing, used so many times at once, by turns at either process. */
const race = (use: (port: number, index: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(range(USES).map((index) => use(ports[index % ports.length] ?? 0, index)));

const fail = (): never => {
  throw new Error('a race was not prepared');
};
const pageError = ({ errors }: Answer): string => errors.join();
const oauthError = (answer: Answer): string => errorIn(answer) ?? pageError(answer);
const isRedirect = ({ status }: Answer): boolean => status === 303;

/** How many accounts have how many events of a kind. */
async function events(type: string, detail: object = {}): Promise<Record<string, number>> {
  const rows = await house.services.db.query(
    'SELECT count(*)::integer AS count FROM audit_events WHERE type = $1 AND detail @> $2 GROUP BY account_id',
    [type, JSON.stringify(detail)],
  );
  return tally(rows.map(({ count }) => count as number));
}

let addresses = 0;
/** A browser at an address of its own. */
function newVisitor(): Visitor {
  addresses += 1;
  return house.visitor({ address: `10.1.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}` });
}

interface Known {
  readonly person: Employee;
  readonly visitor: Visitor;
}

async function newPeople(count: number, state: 'new' | 'password' | 'enrolled'): Promise<Known[]> {
  const people = await addEmployees(house.services, { count, state });
  return people.map((person) => ({ person, visitor: newVisitor() }));
}

/** The path of a new sign-in that this browser has begun. */
async function newAttempt(visitor: Visitor): Promise<{ path: string; verifier: string }> {
  const request = authorizationRequest();
  const answer = await visitor.ask(request.path);
  return { path: answer.location ?? '', verifier: request.verifier };
}

describe('of a sign-in', () => {
  let signedIn: readonly Known[];
  let codes: readonly { readonly code: string; readonly verifier: string }[];
  let formToken: (visitor: Visitor, path: string) => string;
  beforeAll(() => {
    const tokens = createFormTokens(house.services.keyed);
    // As the page would hold it, without asking for thousands of pages.
    formToken = (visitor, path) =>
      tokens.issue({ state: { browserId: visitor.cookie('browser') }, path } as Parameters<typeof tokens.issue>[0]);
  });

  /** Sixteen sign-ins of one person in one browser, each waiting for the second factor. */
  async function openAttempts({ person, visitor }: Known): Promise<{ path: string; verifier: string }[]> {
    await visitor.ask('/reset');
    const opened = await Promise.all(range(USES).map(() => newAttempt(visitor)));
    for (const { path } of opened) {
      const uid = attemptId(path.split('/')[2] ?? '');
      const proof = {
        uid,
        accountId: person.id,
        credEpoch: 1,
        weak: false,
        guessesKey: randomBytes(32),
        now: new Date(),
      };
      await attempts.recordPassword(house.services.db, proof);
    }
    return opened;
  }

  it('a one-time code of an authenticator', async () => {
    const people = await newPeople(ITEMS, 'enrolled');
    const opened = await forEach(people, openAttempts);

    const races = await forEach(people, ({ person, visitor }, item) => {
      const otp = otpOf(person);
      return race((port, index) => {
        const path = `${opened[item]?.[index]?.path ?? ''}/otp`;
        return visitor.ask(path, { form: { csrf: formToken(visitor, path), otp }, port });
      });
    });
    expectOnce(judge(races, { accepts: isRedirect, code: pageError }), { told: ['422 otp_reused'] });
    expect(Object.keys(await events('sign_in.otp_accepted'))).toEqual(['1']);

    const winners = races.map((answers) => answers.findIndex(isRedirect));
    signedIn = people.filter((_, item) => winners[item] !== -1);
    codes = await forEach(signedIn, async ({ visitor, person }) => {
      const item = people.findIndex((each) => each.person === person);
      const winner = winners[item] ?? -1;
      const answer = await visitor.follow(races[item]?.[winner]?.location ?? '');
      return { code: codeIn(answer) ?? '', verifier: opened[item]?.[winner]?.verifier ?? '' };
    });
  });

  const isGranted = ({ status }: Answer): boolean => status === 200;
  const grantedIn = (races: readonly Answer[][]) =>
    races.flatMap((answers) => answers.filter(isGranted)).map((answer) => tokensIn(answer));

  it('an authorization code, and what it gave ends', async () => {
    const races = await forEach(codes, (code) => race((port) => rotating.redeem(channel, code, port)));
    expectOnce(judge(races, { accepts: isGranted, code: oauthError }), { told: ['400 invalid_grant'] });

    const after = await forEach(grantedIn(races), async (tokens) => {
      const answers = [await userinfo(channel, tokens), await rotating.refresh(channel, tokens.refresh_token)];
      return answers.map(({ status }) => status).join();
    });
    expect(Object.keys(tally(after))).toEqual(['401,400']);
  });

  it('a refresh token that rotates, and a theft ends its family', async () => {
    const first = await forEach(signedIn, async ({ visitor }) => {
      const request = authorizationRequest();
      const code = codeIn(await visitor.ask(request.path)) ?? '';
      return tokensIn(await rotating.redeem(channel, { code, verifier: request.verifier }));
    });
    const races = await forEach(first, ({ refresh_token: token }) =>
      race((port) => rotating.refresh(channel, token, port)),
    );
    expectOnce(judge(races, { accepts: isGranted, code: oauthError }), { told: ['400 invalid_grant'] });
    const next = grantedIn(races);
    const alive = await forEach(next, async (tokens) => (await userinfo(channel, tokens)).status);
    expect(Object.keys(tally(alive))).toEqual(['200']);

    // Ten seconds later a second use is no double click.
    await house.services.db.query(
      `UPDATE oidc_tokens SET consumed_at = consumed_at - interval '11 seconds'
        WHERE kind = 'RefreshToken' AND consumed_at IS NOT NULL`,
    );
    const stolen = await forEach(
      first,
      async (tokens) => (await rotating.refresh(channel, tokens.refresh_token)).status,
    );
    expect(Object.keys(tally(stolen))).toEqual(['400']);
    const after = await forEach(next, async (tokens) => {
      const answers = [await userinfo(channel, tokens), await rotating.refresh(channel, tokens.refresh_token)];
      return answers.map(({ status }) => status).join();
    });
    expect(Object.keys(tally(after))).toEqual(['401,400']);
    expect(Object.keys(await events('refresh_token.reused'))).toEqual(['1']);
  });

  it('a client assertion, and the address of a pushed request', async () => {
    const pushes = await forEach(signedIn, async () => {
      const request = authorizationRequest(SIGNING);
      const proof = await assertion(house.issuer);
      return race((port) => push(channel, { request, proof, port }));
    });
    const isTaken = ({ status }: Answer): boolean => status === 201;
    expectOnce(judge(pushes, { accepts: isTaken, code: oauthError }), { told: ['401 invalid_client'] });

    const races = await forEach(signedIn, async ({ visitor }, item) => {
      const taken = pushes[item]?.find(isTaken);
      if (taken === undefined) return [];
      const { request_uri: pushed } = JSON.parse(taken.body) as { request_uri: string };
      const query = new URLSearchParams({ client_id: SIGNING, request_uri: pushed }).toString();
      return race((port) => visitor.ask(`/oidc/auth?${query}`, { port }));
    });
    const accepts = (answer: Answer): boolean => codeIn(answer) !== undefined;
    // Not found any more, nobody is known to redirect to.
    const told = ['303 invalid_request_uri', '400 invalid_input'];
    expectOnce(
      judge(
        races.filter(({ length }) => length > 0),
        { accepts, code: oauthError },
      ),
      { told },
    );
  });

  it("a person's answer to a device, and the device's code; what it gave ends", async () => {
    const asked = await forEach(signedIn, async ({ visitor }) => {
      const { device_code: code, user_code: typed } = await startDevice(visitor);
      const page = await visitor.submit(await visitor.ask('/device'), '/device', { user_code: typed });
      return { code, page };
    });
    const answers = await forEach(signedIn, ({ visitor }, item) => {
      const { path, form } = formOn(asked[item]?.page ?? fail(), '/approve');
      return Promise.all(range(USES).map(() => visitor.follow(path, { form })));
    });
    // A double tap has one answer.
    expect(Object.keys(tally(answers.flat().map(({ page }) => page ?? '')))).toEqual(['device/done']);
    expect(await events('device_login.approved')).toEqual({ 1: signedIn.length });

    const races = await forEach(asked, ({ code }) => race((port) => askAsDevice(channel, code, { port })));
    const { accepted, losers } = judge(races, { accepts: isGranted, code: oauthError });
    // Never twice; and not once where the second, who ends it, was there before the first had its tokens.
    expect(['0', '1']).toEqual(expect.arrayContaining(Object.keys(accepted)));
    expect(Object.keys(losers)).toEqual(['400 invalid_grant']);
    const after = await forEach(grantedIn(races), async (tokens) => (await userinfo(channel, tokens)).status);
    expect(Object.keys(tally(after))).toEqual(['401']);
  });
});

describe('of a reset', () => {
  let people: readonly Known[];
  beforeAll(async () => {
    people = await newPeople(ITEMS, 'new');
  });

  const start = async (
    { person, visitor }: Known,
    port?: number,
  ): Promise<{ path: string; form: Record<string, string> }> => {
    const page = await visitor.ask('/reset/password', port === undefined ? {} : { port });
    const { path, form } = formOn(page, '/reset/password');
    return { path, form: { ...form, username: person.nip, captcha: CAPTCHA } };
  };

  (hasRedis ? it : it.skip)('a captcha (Redis)', async () => {
    const races = await forEach(people, async (known) => {
      const { path, form } = await start(known);
      return race((port) => known.visitor.ask(path, { form, port }));
    });
    expectOnce(judge(races, { accepts: isRedirect, code: pageError }), { told: ['422 captcha_wrong'] });
    expect(Object.keys(await events('reset.started'))).toEqual(['1']);
  });

  it('a mailed code', async () => {
    const pages = await forEach(
      people,
      async (known) => {
        const { person, visitor } = known;
        // Without Redis a captcha lives in the process that drew it.
        const port = ports[0] ?? 0;
        const { path, form } = await start(known, port);
        const email = await visitor.follow(path, { form, port });
        const asked = new Date();
        const page = await visitor.submit(email, '/email', { email: person.email });
        return { page, mail: await house.mailbox.next(person.email, asked) };
      },
      8,
    );
    const races = await forEach(people, ({ visitor }, item) => {
      const { page, mail } = pages[item] ?? fail();
      const { path, form } = formOn(page, '/code');
      const typed = { code: mailedCodeIn(mail.text), new_password: PASSWORD, confirm_password: PASSWORD, otp: '' };
      return race((port) => visitor.ask(path, { form: { ...form, ...typed }, port }));
    });
    // Who comes after is shown what the first one did: a double tap has one answer.
    const { losers } = judge(races, { accepts: isRedirect, code: pageError });
    expect(['422 code_invalid', '410 flow_expired']).toEqual(expect.arrayContaining(Object.keys(losers)));
    expect(await events('password.changed')).toEqual({ 1: ITEMS });
  });

  it('the enrolment ticket that it gave', async () => {
    const holders = people.slice(0, 25);
    const races = await forEach(holders, async ({ person, visitor }) => {
      const opened = await Promise.all(range(USES).map(() => newAttempt(visitor)));
      const pages = await Promise.all(opened.map(({ path }) => visitor.ask(path)));
      return race((port, index) => {
        const { path, form } = formOn(pages[index] ?? fail(), '/password');
        return visitor.ask(path, { form: { ...form, username: person.nip, password: PASSWORD }, port });
      });
    });
    const accepts = ({ location }: Answer): boolean => location?.endsWith('/enrol') === true;
    // The others are asked to prove the mailbox by a code, until there were enough mails or tries.
    const told = ['303 ', '429 throttled'];
    expectOnce(judge(races, { accepts, code: pageError }), { items: holders.length, told });
    expect(Object.keys(await events('sign_in.mailbox_proved', { by: 'reset' }))).toEqual(['1']);
  });
});

describe('of an enrolment', () => {
  let waiting: { readonly known: Known; readonly page: Answer }[];

  it('a mailed code', async () => {
    const people = await newPeople(ITEMS, 'password');
    const pages = await forEach(
      people,
      async ({ person, visitor }) => {
        const asked = new Date();
        const login = await visitor.follow(authorizationRequest().path);
        const page = await visitor.submit(login, '/password', { username: person.nip, password: PASSWORD });
        return { page, mail: await house.mailbox.next(person.email, asked) };
      },
      8,
    );
    const races = await forEach(people, ({ visitor }, item) => {
      const { page, mail } = pages[item] ?? fail();
      const { path, form } = formOn(page, '/mailbox');
      return race((port) => visitor.ask(path, { form: { ...form, code: mailedCodeIn(mail.text) }, port }));
    });
    // Who comes after is led on to the next page, or had nothing to redeem.
    const { losers } = judge(races, { accepts: isRedirect, code: pageError });
    expect(['422 code_invalid']).toEqual(expect.arrayContaining(Object.keys(losers)));
    expect(await events('sign_in.mailbox_proved', { by: 'code' })).toEqual({ 1: ITEMS });

    waiting = await forEach(people.slice(0, 4), async (known, item) => ({
      known,
      page: await known.visitor.ask(races[item]?.find(isRedirect)?.location ?? ''),
    }));
  });

  it('the first code of a new authenticator', async () => {
    // Each use makes ten slow hashes: one race at a time.
    const enrolOnce = ({ known: { visitor }, page }: (typeof waiting)[number]): Promise<Answer[]> => {
      const { path, form } = formOn(page, '/enrol');
      const otp = totp(attribute(page.body, 'data-secret') ?? '', new Date());
      return race((port) => visitor.ask(path, { form: { ...form, otp, device_name: 'Ponsel' }, port }));
    };
    const { losers } = judge(await forEach(waiting, enrolOnce, 1), { accepts: isRedirect, code: pageError });
    expect(losers).toEqual({});
    const ids = waiting.map(({ known }) => known.person.id);
    const rows = await house.services.db.query(
      `SELECT (SELECT count(*)::integer FROM devices WHERE account_id = a AND status = 'active') AS devices,
              (SELECT count(*)::integer FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id
                WHERE s.account_id = a AND s.ended_at IS NULL) AS codes,
              (SELECT count(*)::integer FROM audit_events WHERE account_id = a AND type = 'device.enrolled') AS events
         FROM unnest($1::uuid[]) AS a`,
      [ids],
    );
    expect(rows).toEqual(ids.map(() => ({ devices: 1, codes: 10, events: 1 })));
  });
});
