import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD } from '../support/employees.js';
import { attribute } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';
import { chance } from './support/chance.js';
import { forgetTries } from './support/forget-tries.js';
import { cookiesIn } from './support/headers.js';
import { openHouse } from './support/stations.js';

/** Nobody learns by asking who there is, and in what state (R-19, A1 to A4). */
const house = await openHouse();
const { db } = house.site.running.services;
afterAll(() => house.stop());

/** Somebody whose name is typed, with what is typed beside it. */
interface Typed {
  readonly who: string;
  readonly username: string;
  readonly password: string;
  readonly email: string;
}

const WRONG = 'Bukan Kata Sandi 9 saya';
const NOBODY = '197003142010011777';

async function someone(who: string, state: 'new' | 'password' | 'enrolled', change?: string): Promise<Typed> {
  const { id, nip, email } = await house.person(state);
  if (change !== undefined) await db.query(change.replace('$id', `'${id}'`));
  return { who, username: nip, password: WRONG, email };
}

const people: Typed[] = [];
beforeAll(async () => {
  const active = await someone('active', 'enrolled');
  const inactive = await someone('inactive', 'password', "UPDATE accounts SET status = 'inactive' WHERE id = $id");
  const frozen = await someone('frozen', 'enrolled', 'UPDATE accounts SET frozen_at = now() WHERE id = $id');
  const disabled = 'UPDATE credentials SET disabled_at = now() WHERE account_id = $id';
  people.push(
    { who: 'nobody', username: NOBODY, password: WRONG, email: 'pegawai00004@contoh.example' },
    active,
    { ...active, who: 'active, wrong address', email: 'pegawai00000@contoh.example' },
    await someone('active, no authenticator', 'password'),
    await someone('never activated', 'new'),
    inactive,
    { ...inactive, who: 'inactive, right password', password: PASSWORD },
    { ...frozen, who: 'frozen, right password', password: PASSWORD },
    { ...(await someone('', 'enrolled', disabled)), who: 'password disabled, right one', password: PASSWORD },
    await someone('no address on file', 'password', 'UPDATE accounts SET email = NULL WHERE id = $id'),
  );
});

const MASK = /[a-z0-9]•+@[a-z0-9]•+/g;

/** An answer without what is made anew each time: all that is left must be the same for everybody. */
function bare(answer: Answer, { username }: Typed): object {
  const { date, 'x-request-id': requestId, 'retry-after': wait, location, ...headers } = answer.headers;
  const uid = /\/sign-in\/([\w-]+)/.exec(answer.path)?.[1];
  const fresh: [string | undefined, string][] = [
    [uid, 'UID'],
    [attribute(/<input[^>]*name="csrf"[^>]*>/.exec(answer.body)?.[0] ?? '', 'value'), 'TOKEN'],
    [/\/captcha\/([\w-]+)\./.exec(answer.body)?.[1], 'CAPTCHA'],
    [String(requestId), 'ID'],
    [username, 'NAME'],
  ];
  const without = (text: string): string =>
    fresh.reduce((rest, [value, name]) => (value === undefined ? rest : rest.replaceAll(value, name)), text);
  const body = without(answer.body)
    .replaceAll(MASK, 'MASK')
    // A second may have passed.
    .replaceAll(/(data-retry-after=")\d+|\d+( detik)/g, '$1SECONDS$2')
    .replaceAll(/\d\d[.:]\d\d([.:]\d\d)?|\d{4}-\d\d-\d\dT[\d:+Z]+/g, 'TIME');
  return {
    status: answer.status,
    headers: {
      ...headers,
      'set-cookie': undefined,
      wait: wait?.length,
      date: date?.length,
      location: without(location ?? ''),
    },
    cookies: cookiesIn(answer).map(({ name, value, attributes }) => {
      const expires = attributes.has('expires');
      return { name, bytes: value.length, path: without(attributes.get('path') ?? ''), expires };
    }),
    bytes: Buffer.byteLength(answer.body),
    body,
  };
}

/** What somebody sees who types these names, one after the other, each in a browser of their own. */
async function everybodySees(walk: (typed: Typed, visitor: Visitor) => Promise<Answer[]>): Promise<void> {
  const seen = new Map<string, object[]>();
  for (const typed of people) {
    await forgetTries(db);
    const answers = await walk(typed, house.visitor());
    seen.set(
      typed.who,
      answers.map((answer) => bare(answer, typed)),
    );
  }
  const [first, ...others] = seen;
  for (const [who, answers] of others) {
    for (const [index, answer] of answers.entries())
      expect({ who, answer }).toEqual({ who, answer: first?.[1][index] });
    expect(answers).toHaveLength(first?.[1].length ?? 0);
  }
}

/** Follows one redirect, so that each answer is looked at. */
async function post(visitor: Visitor, page: Answer, action: string, fields: Record<string, string>): Promise<Answer[]> {
  const { path, form } = formOn(page, action);
  const answer = await visitor.ask(path, { form: { ...form, ...fields } });
  return answer.location === undefined ? [answer] : [answer, await visitor.ask(answer.location)];
}

function lastOf(answers: readonly Answer[]): Answer {
  const last = answers.at(-1);
  if (last === undefined) throw new Error('nothing was answered');
  return last;
}

const check = async (visitor: Visitor, { username }: Typed): Promise<Answer[]> =>
  post(visitor, await visitor.ask('/reset/password'), '/reset/password', { username, captcha: CAPTCHA });

describe('whatever name is typed, the same is seen', () => {
  it('logging in, until the wait', async () => {
    await everybodySees(async ({ username, password }, visitor) => {
      const page = await visitor.follow('/login');
      const answers: Answer[] = [];
      for (let turn = 0; turn < 7; turn += 1)
        answers.push(...(await post(visitor, page, '/password', { username, password })));
      expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422, 429, 429]);
      return answers;
    });
  });

  it('resetting a password, from the name to the code', async () => {
    await everybodySees(async (typed, visitor) => {
      const checked = await check(visitor, typed);
      expect(lastOf(checked).page).toBe('reset/password/email');
      const mailed = await post(visitor, lastOf(checked), '/reset/password/email', { email: typed.email });
      expect(lastOf(mailed).page).toBe('reset/password/code');
      const codes: Answer[] = [];
      const wrong = { code: 'AAAAA-AAAAA', new_password: PASSWORD, confirm_password: PASSWORD, otp: '' };
      for (let turn = 0; turn < 6; turn += 1)
        codes.push(...(await post(visitor, lastOf(mailed), '/reset/password/code', wrong)));
      expect(codes.map(({ status }) => status)).toEqual([422, 422, 422, 422, expect.any(Number), 410]);
      return [...checked, ...mailed, ...codes];
    });
  });

  it('asking for more mails than there are', async () => {
    await everybodySees(async (typed, visitor) => {
      const checked = await check(visitor, typed);
      const mailed = await post(visitor, lastOf(checked), '/reset/password/email', { email: typed.email });
      const again: Answer[] = [];
      for (let turn = 0; turn < 4; turn += 1)
        again.push(...(await post(visitor, lastOf(mailed), '/reset/password/resend', {})));
      expect(again.map(({ status }) => status)).toEqual([303, 200, 303, 200, 429, 429]);
      return [...checked, ...mailed, ...again];
    });
  });

  it('resetting MFA, whichever way', async () => {
    await everybodySees(async ({ username, password }, visitor) => {
      const answers: Answer[] = [];
      for (const way of ['now', 'wait']) {
        const page = await visitor.ask(`/reset/mfa/${way}`);
        answers.push(...(await post(visitor, page, '/reset/mfa/start', { username, password, captcha: CAPTCHA })));
      }
      expect(answers.map(({ status }) => status)).toEqual([422, 422]);
      return answers;
    });
  });

  it('changing a weak password', async () => {
    await everybodySees(async ({ username, password }, visitor) => {
      const page = await visitor.ask('/reset/weak');
      const fields = { username, password, otp: '000000', new_password: PASSWORD, confirm_password: PASSWORD };
      return post(visitor, page, '/reset/weak', fields);
    });
  });
});

describe('the masked address', () => {
  const maskFor = async (username: string): Promise<string | undefined> => {
    const [, page] = await check(house.visitor(), { who: '', username, password: '', email: '' });
    return attribute(page?.body ?? '', 'data-email-hint');
  };

  it('of nobody is as lasting as that of somebody, however the name is written', async () => {
    for (const { username } of people) {
      const written = [
        username,
        ` ${username} `,
        `${username.slice(0, 8)} ${username.slice(8)}`,
        username.replace(/(.{4})/g, '$1.'),
      ];
      const masks = new Set(await Promise.all(written.map(maskFor)));
      expect([...masks]).toEqual([expect.stringMatching(/^[a-z0-9]•{5}@[a-z0-9]•{5}$/)]);
    }
  });

  it('of nobody is not the same for everybody', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `1970031420100118${10 + index}`);
    expect(new Set(await Promise.all(names.map(maskFor))).size).toBeGreaterThan(3);
  });
});

describe('whatever name is typed, the answer takes as long', () => {
  const random = chance(19);
  const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
  /** What it takes when nothing comes between: what is not done for somebody is missing here too. */
  const undisturbed = (times: readonly number[]): number =>
    median(times.toSorted((a, b) => a - b).slice(0, times.length >> 1));

  interface Measuring {
    readonly rounds: number;
    /** Of whom others are an example at this step. */
    readonly except: readonly string[];
    /** Prepares, and answers what is then timed. */
    readonly ask: (typed: Typed, visitor: Visitor) => Promise<() => Promise<Answer>>;
  }

  /** How much the slowest person differs from the fastest, undisturbed; asked in turn, in another order each time. */
  async function measure({ rounds, except, ask }: Measuring) {
    const asked = people
      .filter(({ who }) => !except.includes(who))
      .map((typed) => ({ typed, visitor: house.visitor(), times: [] as number[] }));
    for (let round = 0; round < rounds; round += 1) {
      await forgetTries(db);
      const order = asked.map((each) => ({ ...each, at: random.below(1000) })).sort((a, b) => a.at - b.at);
      for (const { typed, visitor, times } of order) {
        const send = await ask(typed, visitor);
        const answer = await send();
        expect(answer.status).toBeLessThan(429);
        times.push(answer.ms);
      }
    }
    const byPerson = asked
      .map(({ typed, times }) => ({ who: typed.who, ms: undisturbed(times) }))
      .sort((a, b) => a.ms - b.ms);
    const spread = (byPerson.at(-1)?.ms ?? 0) - (byPerson[0]?.ms ?? 0);
    return { spread, byPerson, usual: median(byPerson.map(({ ms }) => ms)) };
  }

  /** Five milliseconds on a machine at rest; more where everything takes longer. */
  const allowed = (usual: number): number => 5 + usual / 3;

  async function expectAlike(measuring: Measuring): Promise<void> {
    const first = await measure(measuring);
    // The machine may have been busy with something else: once more.
    const { spread, byPerson, usual } = first.spread > allowed(first.usual) ? await measure(measuring) : first;
    expect(spread > allowed(usual) ? byPerson : []).toEqual([]);
  }

  const pages = new Map<Visitor, Answer>();
  async function once(visitor: Visitor, make: () => Promise<Answer>): Promise<Answer> {
    const page = pages.get(visitor) ?? (await make());
    pages.set(visitor, page);
    return page;
  }
  const sending = (visitor: Visitor, page: Answer, action: string, fields: Record<string, string>) => {
    const { path, form } = formOn(page, action);
    return (): Promise<Answer> => visitor.ask(path, { form: { ...form, ...fields } });
  };

  it('logging in', async () => {
    await expectAlike({
      rounds: 40,
      except: ['active, wrong address', 'inactive'],
      ask: async ({ username, password }, visitor) => {
        const page = await once(visitor, () => visitor.follow('/login'));
        return sending(visitor, page, '/password', { username, password });
      },
    });
  });

  it('at the name', async () => {
    await expectAlike({
      rounds: 100,
      except: ['active, wrong address', 'inactive, right password'],
      ask: async ({ username }, visitor) => {
        const page = await visitor.ask('/reset/password');
        return sending(visitor, page, '/reset/password', { username, captcha: CAPTCHA });
      },
    });
  });

  it('at the address', async () => {
    await expectAlike({
      rounds: 100,
      except: ['inactive, right password', 'active, no authenticator'],
      ask: async (typed, visitor) => {
        const page = await once(visitor, async () => lastOf(await check(visitor, typed)));
        return sending(visitor, page, '/reset/password/email', { email: typed.email });
      },
    });
  });

  it('at the code', async () => {
    await expectAlike({
      rounds: 100,
      except: ['inactive, right password', 'active, no authenticator'],
      ask: async (typed, visitor) => {
        const page = await once(visitor, async () => {
          const checked = await check(visitor, typed);
          return lastOf(await post(visitor, lastOf(checked), '/reset/password/email', { email: typed.email }));
        });
        const wrong = { code: 'AAAAA-AAAAA', new_password: PASSWORD, confirm_password: PASSWORD, otp: '' };
        return sending(visitor, page, '/reset/password/code', wrong);
      },
    });
  });
});
