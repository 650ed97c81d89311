import { setTimeout as pause } from 'node:timers/promises';
import { codeIn as mailedCodeIn } from '../journeys/steps.js';
import { hasFreshOtp, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { CAPTCHA, type Installation } from '../support/installation.js';
import { attribute } from '../support/person.js';
import { authorizationRequest, codeIn, rotating, tokensIn, type Tokens } from '../support/relying-party.js';
import { formOn, type Answer, type Visitor } from '../support/visitor.js';

/** Another page came than the one that was to come. */
export class Interrupted extends Error {
  readonly answer: Answer;

  constructor(wanted: string, answer: Answer) {
    const { status, path, page, errors, body } = answer;
    super(`${path} gave ${[status, page, ...errors].join(' ')} for ${wanted} ${status === 0 ? body : ''}`);
    this.answer = answer;
  }
}

const require = (answer: Answer, page: string): Answer => {
  if (answer.page !== page) throw new Interrupted(page, answer);
  return answer;
};

/** What the program has said yes to. */
export interface Ledger {
  /** Told that the new password holds. */
  readonly passwordChanged: Set<Employee>;
  /** Told that the authenticator is theirs. */
  readonly enrolled: Set<Employee>;
}

export const newLedger = (): Ledger => ({ passwordChanged: new Set(), enrolled: new Set() });

/** From the code in the redirect to the tokens. */
async function redeem(visitor: Visitor, done: Answer, verifier: string): Promise<Tokens> {
  const code = codeIn(done);
  if (code === undefined) throw new Interrupted('an authorization code', done);
  const answer = await rotating.redeem(visitor, { code, verifier });
  if (answer.status !== 200) throw new Interrupted('tokens', answer);
  return tokensIn(answer);
}

/** A whole login with password and one-time code. */
export async function logIn(visitor: Visitor, person: Employee): Promise<Tokens> {
  const { path, verifier } = authorizationRequest();
  const page = require(await visitor.follow(path), 'sign-in/password');
  const otpPage = await visitor.submit(page, '/password', { username: person.nip, password: PASSWORD });
  require(otpPage, 'sign-in/otp');
  return redeem(visitor, await visitor.submit(otpPage, '/otp', { otp: otpOf(person) }), verifier);
}

/** From the first page of a reset to its success notice. */
export async function changePassword(
  { mailbox }: Pick<Installation, 'mailbox'>,
  { visitor, person, ledger }: { visitor: Visitor; person: Employee; ledger: Ledger },
): Promise<void> {
  const start = require(await visitor.ask('/reset/password'), 'reset/password/start');
  const asked = new Date();
  const email = await visitor.submit(start, '/reset/password', { username: person.nip, captcha: CAPTCHA });
  const page = await visitor.submit(require(email, 'reset/password/email'), '/email', { email: person.email });
  require(page, 'reset/password/code');
  const { path, form } = formOn(page, '/code');
  const typed = new Set<string>();
  const isNew = ({ text }: { text: string }): boolean => mailedCodeIn(text) !== '' && !typed.has(mailedCodeIn(text));
  const type = async (tries: number): Promise<Answer> => {
    const code = mailedCodeIn((await mailbox.next(person.email, asked, isNew)).text);
    typed.add(code);
    const passwords = { new_password: PASSWORD, confirm_password: PASSWORD, otp: '' };
    const answer = await visitor.ask(path, { form: { ...form, ...passwords, code } });
    // The mail of an earlier, interrupted reset may come late: then there is another one.
    return answer.errors.includes('code_invalid') && tries > 0 ? type(tries - 1) : answer;
  };
  const answer = await type(2);
  if (answer.location !== '/reset/password/done') throw new Interrupted('the new password', answer);
  ledger.passwordChanged.add(person);
}

/** Login of who has just set a password in this browser, and enrolment of the first authenticator. */
export async function enrol(
  visitor: Visitor,
  { person, ledger }: { person: Employee; ledger: Ledger },
): Promise<Tokens> {
  const { path: begin, verifier } = authorizationRequest();
  const login = require(await visitor.follow(begin), 'sign-in/password');
  const page = await visitor.submit(login, '/password', { username: person.nip, password: PASSWORD });
  require(page, 'sign-in/enrol');
  person.secret = attribute(page.body, 'data-secret') ?? '';
  const { path, form } = formOn(page, '/enrol');
  const typed = { otp: otpOf(person), device_name: 'Ponsel' };
  const answer = await visitor.ask(path, { form: { ...form, ...typed } });
  if (answer.location?.endsWith('/recovery-codes') !== true) throw new Interrupted('the recovery codes', answer);
  ledger.enrolled.add(person);
  const codes = require(await visitor.ask(answer.location), 'sign-in/recovery-codes');
  return redeem(visitor, await visitor.submit(codes, '/recovery-codes', { saved: '1' }), verifier);
}

/** A moment at which a person was done. */
interface Success {
  readonly at: number;
  readonly what: 'login' | 'main job';
}

/** People who come and go while something breaks. */
export interface WorkingDay {
  /** Every answer anybody got, with the time of its end (`performance.now()`). */
  readonly answers: readonly (Answer & { readonly at: number })[];
  readonly successes: readonly Success[];
  readonly interruptions: readonly Interrupted[];
  readonly ledger: Ledger;
  /** Those who wanted to activate and enrol and were interrupted. */
  readonly unfinished: ReadonlySet<Employee>;
  /** Resolves with the time of the first whole login begun after a moment. */
  successAfter(moment: number): Promise<number>;
  /** Lets everybody finish what they do. */
  end(): Promise<void>;
}

export interface WorkingDayOptions {
  readonly house: Installation;
  /** They log in, as often as their authenticators allow. */
  readonly enrolled: readonly Employee[];
  /** They activate and enrol, once. */
  readonly newcomers: readonly Employee[];
  /** Whom they ask. */
  readonly ports: readonly number[];
  /** How many people act at the same time. */
  readonly atOnce?: number;
}

let addresses = 0;

/** Lets people log in, activate and enrol, a few at a time, until it is ended. */
export function startWorkingDay({ house, enrolled, newcomers, ports, atOnce = 3 }: WorkingDayOptions): WorkingDay {
  const answers: (Answer & { at: number })[] = [];
  const successes: Success[] = [];
  const interruptions: Interrupted[] = [];
  const ledger = newLedger();
  const unfinished = new Set<Employee>();
  const waiting = [...newcomers];
  let turn = 0;
  let over = false;
  let tell: (() => void)[] = [];

  const act = async (): Promise<void> => {
    addresses += 1;
    const visitor = house.visitor({
      ports,
      address: `10.2.${Math.floor(addresses / 250) % 250}.${(addresses % 250) + 1}`,
      observe: (answer) => answers.push({ ...answer, body: '', at: performance.now() }),
    });
    turn += 1;
    const began = performance.now();
    const newcomer = turn % 4 === 0 ? waiting.shift() : undefined;
    try {
      if (newcomer !== undefined) {
        unfinished.add(newcomer);
        await changePassword(house, { visitor, person: newcomer, ledger });
        await enrol(visitor, { person: newcomer, ledger });
        unfinished.delete(newcomer);
        successes.push({ at: began, what: 'main job' });
      } else {
        const person = enrolled[turn % enrolled.length];
        if (person === undefined || !hasFreshOtp(person)) return;
        await logIn(visitor, person);
        successes.push({ at: began, what: 'login' });
      }
      for (const each of tell.splice(0)) each();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      interruptions.push(error);
    } finally {
      visitor.close();
    }
  };
  const worker = async (): Promise<void> => {
    while (!over) {
      await act();
      await pause(100);
    }
  };
  const workers = Promise.all(Array.from({ length: atOnce }, worker));
  // Whoever ends the day is told.
  workers.catch(() => undefined);

  return {
    answers,
    successes,
    interruptions,
    ledger,
    unfinished,
    async successAfter(moment) {
      for (;;) {
        const found = successes.find(({ at }) => at >= moment);
        if (found !== undefined) return found.at;
        await Promise.race([new Promise<void>((resolve) => tell.push(resolve)), workers]);
        if (over) throw new Error('the day ended before anybody was done');
      }
    },
    async end() {
      over = true;
      await workers;
      tell = [];
    },
  };
}
