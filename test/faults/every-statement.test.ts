import { jest } from '@jest/globals';
import { loadConfig } from '#src/config/load.js';
import { serve, type Running } from '#src/serve.js';
import { DatabaseUnavailable } from '#src/storage/postgres.js';
import { codeIn as mailedCodeIn } from '../journeys/steps.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { figures } from '../support/figures.js';
import { CAPTCHA, openInstallation, type Installation } from '../support/installation.js';
import { attribute } from '../support/person.js';
import { quietLog } from '../support/quiet-log.js';
import {
  authorizationRequest,
  codeIn,
  errorIn,
  rotating,
  tokensIn,
  userinfo,
  type Tokens,
} from '../support/relying-party.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { totp } from '../support/totp.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';
import { auditBooks } from './books.js';
import { newLedger } from './working-day.js';

/**
 * the database goes away before each single statement of each request, and stays away until the request is
 * answered. Then the person does the same again.
 */
jest.setTimeout(120_000);

let database: TestDatabase;
let house: Installation;
let running: Running;
const log = quietLog();

/** What is asked of the database while nobody asks the program. */
const BACKGROUND =
  /^\s*(WITH due AS|WITH used AS|WITH failed AS|DELETE FROM outbox|UPDATE outbox|INSERT INTO last_mails|SELECT name, number FROM live_revisions)/;
let asked: string[] = [];
let awayFrom = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  database = await createTestDatabase();
  house = await openInstallation({ databaseUrl: database.url });
  running = await serve(loadConfig({ ...house.settings, PORT: '0', MANAGEMENT_PORT: '0' }), log, {
    onStatement(text) {
      if (BACKGROUND.test(text)) return;
      asked.push(text.trim().slice(0, 60));
      if (asked.length >= awayFrom) throw new DatabaseUnavailable(new Error('gone'));
    },
  });
  // It asks once a second, whoever asks the program.
  await running.services.sealer.stop();
});
afterAll(async () => {
  await running.stop();
  await house.stop();
  await database.drop();
});

/** One request of a journey. */
interface Step {
  readonly name: string;
  readonly ask: () => Promise<Answer>;
  /** Spends something before it answers: interrupted, it cannot be repeated, and the person begins again. */
  readonly spends?: true;
  /** Where the journey begins: not interrupted here. */
  readonly given?: true;
}

type Journey = (visitor: Visitor, person: Employee) => Step[];

/** What is wrong with the answer of a request that found the database away; best nothing. */
function complaint(answer: Answer): string | undefined {
  const { status, headers, page, errors, body } = answer;
  // An authorization request may be answered at the relying party (RFC 6749 section 4.1.2.1).
  if (status === 303 && errorIn(answer) === 'temporarily_unavailable') return undefined;
  if (status !== 503) return `answers ${status} ${page ?? ''}`;
  if (!(Number(headers['retry-after']) >= 1)) return 'says nothing of when to return';
  const told = page === undefined ? body.includes('"temporarily_unavailable"') : errors.includes('unavailable');
  return told ? undefined : `says ${[page, ...errors].join(' ')}`;
}

/** Takes a journey apart; answers what is wrong, and how many statements each request has. */
async function interruptEverywhere(journey: Journey, people: Employee[]) {
  const problems: string[] = [];
  const statements: Record<string, number> = {};

  /** A new person who has come as far as the request with this index. */
  async function come(index: number): Promise<{ step: Step; visitor: Visitor }> {
    const person = people.shift();
    if (person === undefined) throw new Error('too few people');
    const visitor = house.visitor({ ports: [running.port], address: `10.8.0.${people.length % 250}` });
    const steps = journey(visitor, person);
    for (const { name, ask } of steps.slice(0, index)) {
      const answer = await ask();
      if (answer.status >= 400) throw new Error(`${name} answers ${answer.status} ${answer.errors.join()}`);
    }
    const step = steps[index];
    if (step === undefined) throw new Error('there is no such request');
    return { step, visitor };
  }

  const [anybody] = people;
  const requests = anybody === undefined ? [] : journey(house.visitor(), anybody);
  for (const [index, { given }] of requests.entries()) {
    if (given === true) continue;
    let here = await come(index);
    for (let statement = 1; ; statement += 1) {
      const { name, ask, spends } = here.step;
      asked = [];
      awayFrom = statement;
      const answer = await ask().finally(() => {
        awayFrom = Number.POSITIVE_INFINITY;
      });
      const where = `${name}, statement ${statement}`;
      if (asked.length < statement) {
        if (answer.status >= 400) problems.push(`${name} cannot be repeated: ${answer.status} ${answer.errors.join()}`);
        statements[name] = asked.length;
        break;
      }
      const wrong = complaint(answer);
      if (wrong !== undefined) problems.push(`${where}: ${wrong}`);
      if (asked.length > statement) problems.push(`${where}: asks on, ${asked.slice(statement - 1).join(' | ')}`);
      if (spends === true) {
        here.visitor.close();
        here = await come(index);
      }
    }
    here.visitor.close();
  }
  return { problems, statements };
}

/** A person's pages: what came last, and its forms. */
function pagesOf(visitor: Visitor) {
  let last: Answer | undefined;
  const shown = (): Answer => {
    if (last === undefined) throw new Error('no page was asked for');
    return last;
  };
  const keep = async (answer: Promise<Answer>): Promise<Answer> => {
    const kept = await answer;
    if (kept.status < 400 && errorIn(kept) === undefined) last = kept;
    return kept;
  };
  return {
    shown,
    open: (path: string) => keep(visitor.ask(path)),
    /** Where the last answer led to. */
    go: () => keep(visitor.ask(shown().location ?? '')),
    post: (action: string, fields: Record<string, string>) => {
      const { path, form } = formOn(shown(), action);
      return keep(visitor.ask(path, { form: { ...form, ...fields } }));
    },
  };
}

const logIn: Journey = (visitor, person) => {
  const request = authorizationRequest();
  const { open, go, post } = pagesOf(visitor);
  let code = '';
  let tokens: Tokens = { access_token: '', id_token: '', refresh_token: '' };
  return [
    { name: 'authorization request', ask: () => open(request.path) },
    { name: 'login page', ask: go },
    { name: 'password', ask: () => post('/password', { username: person.nip, password: PASSWORD }) },
    { name: 'code page', ask: go },
    { name: 'one-time code', ask: () => post('/otp', { otp: otpOf(person) }) },
    {
      name: 'end of the login',
      spends: true,
      ask: async () => {
        const answer = await go();
        code = codeIn(answer) ?? '';
        return answer;
      },
    },
    {
      name: 'token request',
      spends: true,
      ask: async () => {
        const answer = await rotating.redeem(visitor, { code, verifier: request.verifier });
        if (answer.status === 200) tokens = tokensIn(answer);
        return answer;
      },
    },
    { name: 'userinfo', ask: () => userinfo(visitor, tokens) },
    { name: 'refresh', spends: true, ask: () => rotating.refresh(visitor, tokens.refresh_token) },
    { name: 'single sign-on', ask: () => visitor.ask(authorizationRequest().path) },
    { name: 'logout page', ask: () => open('/oidc/logout') },
    { name: 'logout', spends: true, ask: () => post('/confirm', { logout: 'yes' }) },
  ];
};

const activate: Journey = (visitor, person) => {
  const { open, go, post, shown } = pagesOf(visitor);
  let asked = new Date();
  const newPassword = async (): Promise<Answer> => {
    const { text } = await house.mailbox.next(person.email, asked);
    return post('/code', { code: mailedCodeIn(text), new_password: PASSWORD, confirm_password: PASSWORD, otp: '' });
  };
  const firstCode = (): Promise<Answer> => {
    person.secret ??= attribute(shown().body, 'data-secret');
    return post('/enrol', { otp: otpOf(person), device_name: 'Ponsel' });
  };
  return [
    { name: 'reset', ask: () => open('/reset/password') },
    {
      name: 'name and captcha',
      // The captcha is used up by every try.
      spends: true,
      ask: () => post('/reset/password', { username: person.nip, captcha: CAPTCHA }),
    },
    { name: 'address page', ask: go },
    {
      name: 'address',
      ask: () => {
        asked = new Date();
        return post('/email', { email: person.email });
      },
    },
    { name: 'mailed code page', ask: go },
    { name: 'new password', ask: newPassword },
    { name: 'success notice', ask: go },
    { name: 'authorization request', ask: () => open(authorizationRequest().path) },
    { name: 'login page', ask: go },
    { name: 'password', ask: () => post('/password', { username: person.nip, password: PASSWORD }) },
    { name: 'enrolment page', ask: go },
    { name: 'first code', ask: firstCode },
    { name: 'recovery codes', ask: go },
    { name: 'codes saved', ask: () => post('/recovery-codes', { saved: '1' }) },
  ];
};

/** from an old phone to a new one, and new recovery codes. */
const move: Journey = (visitor, person) => {
  const { open, go, post, shown } = pagesOf(visitor);
  const enter = async (): Promise<Answer> => {
    const login = await visitor.follow('/login');
    const page = await visitor.submit(login, '/password', { username: person.nip, password: PASSWORD });
    return visitor.submit(page, '/otp', { otp: otpOf(person) });
  };
  const firstCode = (): Promise<Answer> => {
    const otp = totp(attribute(shown().body, 'data-secret') ?? '', new Date());
    return post('/move/app', { otp, device_name: 'Ponsel baru' });
  };
  return [
    { name: 'login before a move', given: true, ask: enter },
    { name: 'devices', ask: () => open('/account/devices') },
    { name: 'old phones', ask: () => open('/account/devices/move') },
    { name: 'choice of the old phone', ask: () => post('/account/devices/move', {}) },
    { name: 'key of the new phone', ask: go },
    { name: 'first code of the new phone', ask: firstCode },
    { name: 'devices after it', ask: go },
    { name: 'new recovery codes?', ask: () => open('/account/recovery-codes/renew') },
    { name: 'new recovery codes', ask: () => post('/renew', {}) },
    { name: 'their page', ask: go },
    { name: 'they are saved', ask: () => post('/account/recovery-codes/new', { saved: '1' }) },
    { name: 'recovery codes', ask: go },
  ];
};

it.each([
  ['login', logIn, 'enrolled', 60],
  ['a new phone and new recovery codes', move, 'enrolled', 15],
  ['activation and enrolment', activate, 'new', 30],
] as const)(
  '%s: 503 at once and nothing half done; the same again goes through',
  async (name, journey, state, count) => {
    const people = await addEmployees(house.services, { count, state });
    const everybody = [...people];
    const { problems, statements } = await interruptEverywhere(journey, people);
    figures(name, statements);
    expect(problems).toEqual([]);
    if (state === 'new') {
      expect(await auditBooks(house.services, { newcomers: everybody, ledger: newLedger() })).toEqual([]);
    }
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  },
);
