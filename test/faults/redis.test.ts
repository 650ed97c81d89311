import { jest } from '@jest/globals';
import { codeIn as mailedCodeIn } from '../journeys/steps.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { CAPTCHA, openInstallation, type Installation } from '../support/installation.js';
import { eventually, type ServerProcess } from '../support/processes.js';
import { hasRedis, startRedis, type RedisServer } from '../support/redis.js';
import { authorizationRequest, codeIn, rotating, tokensIn, type Tokens } from '../support/relying-party.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';
import { figures } from '../support/figures.js';
import { changePassword, logIn, newLedger } from './working-day.js';

/** Redis ends, forgets, freezes or is cut off, and nobody but the captcha notices. */
jest.setTimeout(60_000);

(hasRedis ? describe : describe.skip)('Redis', () => {
  let database: TestDatabase;
  let redis: RedisServer;
  let link: TcpProxy;
  let house: Installation;
  /** One process speaks to Redis directly, the other through the link. */
  let direct: ServerProcess;
  let linked: ServerProcess;
  let employees: Employee[];
  /** The relying party's back channel. */
  let channel: Visitor;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await startRedis();
    const port = Number(new URL(redis.url).port);
    link = await startTcpProxy(() => [port]);
    house = await openInstallation({ databaseUrl: database.url });
    [direct, linked] = await Promise.all([
      house.start({ REDIS_URL: redis.url }),
      house.start({ REDIS_URL: `redis://127.0.0.1:${link.port}` }),
    ]);
    employees = await addEmployees(house.services, { count: 350, state: 'enrolled' });
    channel = newVisitor();
  });
  afterAll(async () => {
    await house.stop();
    await link.stop();
    await redis.stop();
    await database.drop();
  });
  afterEach(() => {
    expect(house.errors().slice(0, 3)).toEqual([]);
  });

  let addresses = 0;
  const newVisitor = (ports: readonly ServerProcess[] = [direct, linked]): Visitor => {
    addresses += 1;
    return house.visitor({ address: `10.4.0.${addresses}`, ports: ports.map(({ port }) => port) });
  };
  /** Somebody who has not logged in yet. */
  const nextPerson = (): Employee => {
    const person = employees.shift();
    if (person === undefined) throw new Error('too few employees');
    return person;
  };

  interface SignedIn {
    readonly person: Employee;
    readonly visitor: Visitor;
    readonly tokens: Tokens;
  }
  async function signIn(): Promise<SignedIn> {
    const [person, visitor] = [nextPerson(), newVisitor()];
    return { person, visitor, tokens: await logIn(visitor, person) };
  }

  /** Single sign-on and refresh, with nothing asked of the person. */
  async function expectStillIn({ visitor, tokens }: SignedIn): Promise<void> {
    const { path, verifier } = authorizationRequest();
    const code = codeIn(await visitor.ask(path)) ?? '';
    expect((await rotating.redeem(visitor, { code, verifier })).status).toBe(200);
    expect((await rotating.refresh(visitor, tokens.refresh_token)).status).toBe(200);
  }

  /** So many logins at a time; answers what went wrong. */
  async function logInMany(count: number): Promise<string[]> {
    const problems: string[] = [];
    for (let done = 0; done < count; done += 5) {
      const attempts = Array.from({ length: 5 }, () => signIn());
      for (const attempt of await Promise.allSettled(attempts)) {
        if (attempt.status === 'rejected') problems.push(String(attempt.reason));
      }
    }
    return problems;
  }

  const captchaPage = (process: ServerProcess): Promise<Answer> => newVisitor([process]).ask('/reset/password');
  const drawsCaptchas = (process: ServerProcess) => async (): Promise<boolean> =>
    (await captchaPage(process)).status === 200;

  it('killed and back empty (F-07): logins and sessions go on, captcha pages say so and return', async () => {
    const before = await signIn();
    await redis.kill();
    expect(await logInMany(50)).toEqual([]);
    await expectStillIn(before);

    const page = await captchaPage(direct);
    expect([page.status, page.page, page.errors]).toEqual([503, 'busy', ['unavailable']]);
    expect(Number(page.headers['retry-after'])).toBeGreaterThan(0);

    await redis.start();
    for (const process of [direct, linked]) await eventually('captchas to return', drawsCaptchas(process), 5_000);
    expect(await logInMany(5)).toEqual([]);
  });

  describe('emptied under everybody (F-09)', () => {
    it('a captcha that was answered, or not yet answered, is refused', async () => {
      const person = nextPerson();
      const visitors = [newVisitor(), newVisitor()];
      const [answered, unanswered] = await Promise.all(
        visitors.map(async (visitor) => {
          const { path, form } = formOn(await visitor.ask('/reset/password'), '/reset/password');
          const cookie = visitor.cookiesFor(path);
          const typed = { ...form, username: person.nip, captcha: CAPTCHA };
          return () => visitor.ask(path, { form: typed, headers: { cookie } });
        }),
      );
      expect((await answered?.())?.status).toBe(303);
      await redis.flush();
      for (const post of [answered, unanswered]) {
        const answer = await post?.();
        expect([answer?.status, answer?.errors]).toEqual([422, ['captcha_wrong']]);
      }
    });

    it('a mailed code changes nothing a second time', async () => {
      const [person] = await addEmployees(house.services, { count: 1, state: 'new' });
      if (person === undefined) throw new Error('nobody was added');
      const visitor = newVisitor();
      await changePassword(house, { visitor, person, ledger: newLedger() });
      const { csrf } = formOn(await visitor.ask('/reset/password'), '/reset/password').form;
      const code = mailedCodeIn((await house.mailbox.next(person.email)).text);
      await redis.flush();
      const other = 'Rusa Gajah 9 jalan-jalan';
      const typed = { csrf: csrf ?? '', code, new_password: other, confirm_password: other, otp: '' };
      expect((await visitor.ask('/reset/password/code', { form: typed })).location).toBe('/reset/password/done');
      const events = await house.services.db.query(
        `SELECT type FROM audit_events WHERE account_id = $1 AND type = 'password.changed'`,
        [person.id],
      );
      expect(events).toHaveLength(1);
    });

    it('one-time codes, authorization codes and refresh tokens that were used are refused', async () => {
      const person = nextPerson();
      const request = authorizationRequest();
      const open = async (path: string): Promise<{ visitor: Visitor; page: Answer }> => {
        const visitor = newVisitor();
        const login = await visitor.follow(path);
        const page = await visitor.submit(login, '/password', { username: person.nip, password: PASSWORD });
        return { visitor, page };
      };
      const [first, second] = [await open(request.path), await open(authorizationRequest().path)];
      const otp = otpOf(person);
      const code = { code: codeIn(await first.visitor.submit(first.page, '/otp', { otp })) ?? '', ...request };
      await redis.flush();
      const again = await second.visitor.submit(second.page, '/otp', { otp });
      expect([again.status, again.errors]).toEqual([422, ['otp_reused']]);

      const redeemed = await rotating.redeem(channel, code);
      const { refresh_token: refresh } = tokensIn(redeemed);
      expect((await rotating.refresh(channel, refresh)).status).toBe(200);
      await redis.flush();
      expect((await rotating.refresh(channel, refresh)).status).toBe(400);
      expect((await rotating.redeem(channel, code)).status).toBe(400);
    });
  });

  /** How long the password form takes, for so many people one after the other. */
  async function passwordTimes(count: number, process: ServerProcess): Promise<number[]> {
    const times: number[] = [];
    for (let done = 0; done < count; done += 1) {
      const [person, visitor] = [nextPerson(), newVisitor([process])];
      const page = await visitor.follow(authorizationRequest().path);
      const { path, form } = formOn(page, '/password');
      const answer = await visitor.ask(path, { form: { ...form, username: person.nip, password: PASSWORD } });
      expect(answer.status).toBe(303);
      times.push(answer.ms);
    }
    return times.sort((a, b) => a - b);
  }

  interface Outage {
    readonly name: string;
    readonly process: () => ServerProcess;
    readonly begin: () => Promise<void> | void;
    readonly end: () => Promise<void> | void;
  }
  const outages: Outage[] = [
    {
      name: 'frozen (F-08)',
      process: () => direct,
      begin: () => {
        redis.freeze();
      },
      end: () => {
        redis.thaw();
      },
    },
    { name: 'full (F-10)', process: () => direct, begin: () => redis.fill(), end: () => redis.makeRoom() },
    {
      name: 'behind a dead link (F-23, F-30)',
      process: () => linked,
      begin: () => {
        link.blackhole();
      },
      end: () => {
        link.heal();
      },
    },
  ];

  it.each(outages)('$name: a few logins take a moment longer, and captchas return', async ({ name, ...outage }) => {
    const process = outage.process();
    const before = await signIn();
    const usual = await passwordTimes(20, process);
    await outage.begin();
    try {
      const meanwhile = await passwordTimes(30, process);
      figures(name, { usual: usual.map(Math.round), meanwhile: meanwhile.map(Math.round) });
      const median = (times: number[]): number => times[Math.floor(times.length / 2)] ?? 0;
      // Five calls in a row wait for 100 ms each; then nobody does, but for one look a second.
      expect(meanwhile.filter((ms) => ms > 90 + 2 * median(usual)).length).toBeLessThan(10);
      expect(Math.max(...meanwhile)).toBeLessThan(1_000);
      expect(await logInMany(10)).toEqual([]);
      await expectStillIn(before);
      const page = await captchaPage(process);
      expect([page.status, page.page, page.errors]).toEqual([503, 'busy', ['unavailable']]);
    } finally {
      await outage.end();
    }
    await eventually('captchas to return', drawsCaptchas(process), 10_000);
  });
});
