import { CAPTCHA } from '../../support/site.js';
import { totp } from '../../support/totp.js';
import { otherOf, type Driver, type Observed, type TwoPeople } from './driver.js';
import { createRules, WEAK, type PersonState, type TypedCode, type TypedWeak } from './rules.js';
import type { BrowserName, Otp, Step, Who } from './steps.js';

/** Meet every rule for everybody. */
const GOOD = [
  'Kuda Zebra 7 lari-lari',
  'Gajah Merah 8 tidur-pulas',
  'Angsa Biru 9 terbang-jauh',
  'Rusa Hijau 4 makan-daun',
];

/** What happened in all sequences: a model test that never changes a password proves nothing. */
export interface Tally {
  sequences: number;
  steps: number;
  byReset: Record<Who, number>;
  byWeak: Record<Who, number>;
  refusedWithRightCode: number;
  byRecoveryCode: number;
}

export const emptyTally = (): Tally => ({
  sequences: 0,
  steps: 0,
  byReset: { A: 0, B: 0 },
  byWeak: { A: 0, B: 0 },
  refusedWithRightCode: 0,
  byRecoveryCode: 0,
});

type Post =
  | { kind: 'start'; browser: BrowserName; who: Who; captcha: string; answer: string; owner: BrowserName }
  | { kind: 'email'; browser: BrowserName; flow: string; typed: string }
  | { kind: 'resend'; browser: BrowserName; flow: string }
  | { kind: 'code'; browser: BrowserName; flow: string; typed: TypedCode }
  | { kind: 'weak'; browser: BrowserName; typed: TypedWeak };

/** Plays one sequence and throws at the first step after which anything differs from what the rules say. */
export async function play(driver: Driver, people: TwoPeople, steps: readonly Step[], tally: Tally): Promise<void> {
  const state = (who: Who): PersonState => ({
    who,
    secret: people[who].secret,
    hasFactor: people[who].hasFactor,
    recoveryCodes: new Set(people[who].recoveryCodes),
    password: people[who].password,
    lastStep: 0,
    wrongOtps: 0,
    otpWaitsUntil: 0,
    wrongPasswords: 0,
  });
  const known = { A: state('A'), B: state('B') };
  const rules = createRules(known);
  let before: Record<Who, Observed> = await driver.observe(people);

  const flowOf: Record<BrowserName, string | undefined> = { 0: undefined, 1: undefined };
  const captchas: { name: string; browser: BrowserName; isUsed: boolean }[] = [];
  const codes = new Map<string, string[]>();
  const mailsAt: Record<Who, number[]> = { A: [], B: [] };
  const posts: Post[] = [];
  const lastOtp: Record<Who, string> = { A: '000000', B: '000000' };
  const lastRecovery: Record<Who, string> = { A: 'AAAAA-AAAAA-AAAAA', B: 'AAAAA-AAAAA-AAAAA' };
  const whoOf = new Map<string, Who>();
  let passwordTurn = 0;

  const flow = (browser: BrowserName): string => flowOf[browser] ?? 'none';
  const otpOf = (who: Who, kind: Otp): string => {
    const { secret } = people[who];
    const right = totp(secret ?? 'JBSWY3DPEHPK3PXP', new Date(driver.now()));
    if (kind === 'right') return (lastOtp[who] = right);
    if (kind === 'used') return lastOtp[who];
    if (kind === 'recovery') return (lastRecovery[who] = [...known[who].recoveryCodes][0] ?? 'BBBBB-BBBBB-BBBBB');
    if (kind === 'used recovery') return lastRecovery[who];
    return kind === 'none' ? '' : String((Number(right) + 500_000) % 1_000_000).padStart(6, '0');
  };
  const newPassword = (kind: 'good' | 'weak' | 'mismatched') => {
    const password = kind === 'weak' ? WEAK : (GOOD[(passwordTurn += 1) % GOOD.length] ?? '');
    return { password, confirmation: kind === 'mismatched' ? `${password}!` : password };
  };

  async function captchaFor(step: Extract<Step, { do: 'start' }>) {
    const { browser } = step;
    const issue = async (to: BrowserName) => {
      const issued = { name: await driver.captcha(to), browser: to, isUsed: false };
      captchas.push(issued);
      return issued;
    };
    const used = captchas.find(({ isUsed }) => isUsed);
    if (step.captcha === 'used' && used !== undefined) return used;
    return issue(step.captcha === "other browser's" ? (browser === 0 ? 1 : 0) : browser);
  }

  function codeFor(step: Extract<Step, { do: 'code' }>): string {
    const own = codes.get(flow(step.browser)) ?? [];
    switch (step.code) {
      case 'right':
        return own.at(-1) ?? 'AAAAA-AAAAA';
      case 'older':
        return own.at(-2) ?? 'BBBBB-BBBBB';
      case "other flow's":
        return [...codes].findLast(([name]) => name !== flow(step.browser))?.[1].at(-1) ?? 'CCCCC-CCCCC';
      case 'wrong':
        return 'DDDDD-DDDDD';
      case 'none':
        return '';
    }
  }

  /** Every post a step stands for, with all that it names. */
  async function postOf(step: Step): Promise<Post | undefined> {
    switch (step.do) {
      case 'start': {
        const { name, browser: owner } = await captchaFor(step);
        const answer = step.captcha === 'wrong' ? CAPTCHA.toLowerCase() : CAPTCHA;
        return { kind: 'start', browser: step.browser, who: step.who, captcha: name, answer, owner };
      }
      case 'email': {
        const who = whoOf.get(flow(step.browser)) ?? 'A';
        const typed = {
          own: people[who].email,
          wrong: `x${people[who].email}`,
          "other person's": people[otherOf(who)].email,
        }[step.typed];
        return { kind: 'email', browser: step.browser, flow: flow(step.browser), typed };
      }
      case 'resend':
        return { kind: 'resend', browser: step.browser, flow: flow(step.browser) };
      case 'code': {
        const otp = otpOf(whoOf.get(flow(step.browser)) ?? 'A', step.otp);
        const typed = { code: codeFor(step), otp, ...newPassword(step.password) };
        return { kind: 'code', browser: step.browser, flow: flow(step.browser), typed };
      }
      case 'weak': {
        const { who } = step;
        const right = known[who].password ?? 'Belum Pernah 1 ada';
        const chosen = step.password === 'same' ? { password: right, confirmation: right } : newPassword('good');
        const old = step.old === 'right' ? right : `${right}!`;
        return { kind: 'weak', browser: step.browser, typed: { who, old, otp: otpOf(who, step.otp), ...chosen } };
      }
      case 'replay': {
        const post = posts.at(-step.back);
        return post && { ...post, browser: step.from === 'same' ? post.browser : post.browser === 0 ? 1 : 0 };
      }
      case 'open':
        await driver.open(step.browser, flow(step.browser), step.page);
        return undefined;
      case 'wait':
        driver.wait(step.minutes);
        return undefined;
    }
  }

  async function sendAddress(post: Extract<Post, { kind: 'email' | 'resend' }>): Promise<void> {
    const { browser, flow: name } = post;
    const who = whoOf.get(name);
    const email = who === undefined ? '' : people[who].email;
    const answer =
      post.kind === 'email' ? await driver.email(browser, name, post.typed) : await driver.resend(browser, name);
    if (answer === 'throttled') {
      // Only after three mails within an hour, from one source.
      const recent = who === undefined ? [] : mailsAt[who].filter((at) => at > driver.now() - 3_600_000);
      const wrong = post.kind === 'email' && post.typed !== email;
      if (recent.length < 3 && !wrong) throw new Error('throttled without reason');
      return;
    }
    const typed = post.kind === 'email' ? { isRight: post.typed === email } : 'resend';
    const mayMail = rules.address(name, browser, typed, driver.now());
    const mailed = await driver.codesMailed(mayMail && people[mayMail].email);
    if (mailed.length !== (mayMail === undefined ? 0 : 1)) throw new Error(`${mailed.length} codes were mailed`);
    if (mayMail === undefined) return;
    const { to, code } = mailed[0] ?? { to: '', code: '' };
    if (to !== people[mayMail].email) throw new Error('the code went to somebody else');
    codes.set(name, [...(codes.get(name) ?? []), code]);
    rules.mailed(name, code);
    mailsAt[mayMail].push(driver.now());
  }

  /** Sends a post; answers whose password it must have changed. */
  async function send(post: Post): Promise<{ must: Who | undefined; by: 'byReset' | 'byWeak'; password: string }> {
    switch (post.kind) {
      case 'start': {
        const captcha = captchas.find(({ name }) => name === post.captcha);
        const isRight = captcha?.isUsed === false && post.owner === post.browser && post.answer === CAPTCHA;
        if (captcha !== undefined) captcha.isUsed = true;
        const { nip } = people[post.who];
        const begun = await driver.start(post.browser, { nip, captcha: post.captcha, answer: post.answer });
        if ((begun !== undefined) !== isRight) throw new Error(`the captcha was ${isRight ? 'refused' : 'taken'}`);
        if (begun !== undefined) {
          flowOf[post.browser] = begun;
          whoOf.set(begun, post.who);
          rules.begin(begun, post.browser, post.who, driver.now());
        }
        return { must: undefined, by: 'byReset', password: '' };
      }
      case 'email':
      case 'resend':
        await sendAddress(post);
        return { must: undefined, by: 'byReset', password: '' };
      case 'code': {
        const must = rules.code(post.flow, post.browser, post.typed, driver.now());
        const own = codes.get(post.flow)?.at(-1);
        if (must === undefined && own === post.typed.code) tally.refusedWithRightCode += 1;
        await driver.code(post.browser, post.flow, post.typed);
        return { must, by: 'byReset', password: post.typed.password };
      }
      case 'weak': {
        const { who } = post.typed;
        const isFree = known[who].wrongPasswords < 5;
        const must = isFree ? rules.weak(post.typed, driver.now()) : undefined;
        if (isFree) await driver.weak(post.browser, people[who].nip, post.typed);
        return { must, by: 'byWeak', password: post.typed.password };
      }
    }
  }

  tally.sequences += 1;
  for (const [index, step] of steps.entries()) {
    const post = await postOf(step);
    tally.steps += 1;
    const { must, by, password } =
      post === undefined ? { must: undefined, by: 'byReset' as const, password: '' } : await send(post);
    if (post !== undefined && step.do !== 'replay') posts.push(post);
    const after = await driver.observe(people);
    for (const who of ['A', 'B'] as const) {
      const complain = (what: string): never => {
        throw new Error(`step ${index + 1}, ${step.do}: ${what} of ${who}`);
      };
      if (after[who].factors !== before[who].factors) complain('the factors changed, those');
      if (after[who].sessions !== 0) complain('a session began, one');
      const changes = after[who].credEpoch - before[who].credEpoch;
      if (must !== who && changes !== 0) complain('the password was changed, that');
      if (must === who && changes !== 1) complain('the password was not changed, that');
      if (must === who && !(await driver.isPassword(people[who].id, password)))
        complain('another password became that');
    }
    if (must !== undefined) tally[by][must] += 1;
    if (must === 'A' && post !== undefined && 'typed' in post && typeof post.typed === 'object')
      tally.byRecoveryCode += post.typed.otp.includes('-') ? 1 : 0;
    before = after;
  }
  await driver.requireNobodySignedIn();
}
