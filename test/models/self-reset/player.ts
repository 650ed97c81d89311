import { CAPTCHA } from '../../support/site.js';
import { totp } from '../../support/totp.js';
import { PASSWORD, type ModelDriver, type TwoPeople } from './house.js';
import { HOUR, rules, type Ends, type Flow, type PersonState } from './rules.js';
import type { BrowserName, Step, Who } from './steps.js';

/** What happened in all sequences: a model test in which nothing ever ends proves nothing. */
export interface Tally {
  sequences: number;
  steps: number;
  byCode: number;
  byDevice: number;
  byWaiting: number;
  begun: number;
  /** Stopped, or void, and then typed the password after the wait in vain. */
  inVain: number;
  closed: number;
  /** After the wait, of somebody whose apps were closed. */
  closedByWaiting: number;
}

export const emptyTally = (): Tally => ({
  sequences: 0,
  steps: 0,
  byCode: 0,
  byDevice: 0,
  byWaiting: 0,
  begun: 0,
  inVain: 0,
  closed: 0,
  closedByWaiting: 0,
});

const WHO = ['A', 'B'] as const;

/** Plays one sequence and throws at the first step after which anything differs from what the rules say. */
export async function play(
  driver: ModelDriver,
  people: TwoPeople,
  steps: readonly Step[],
  tally: Tally,
): Promise<void> {
  const state = (who: Who): PersonState => ({
    who,
    devices: people[who].devices.map((device) => ({ ...device, lastStep: 1, isClosed: false })),
    codes: new Set(people[who].codes),
    epoch: 1,
    address: 0,
    isFrozen: false,
    wrongPasswords: 0,
    failures: 0,
    failedAt: [],
    waitsUntil: 0,
    waiting: undefined,
  });
  const known = { A: state('A'), B: state('B') };
  const flows = new Map<string, Flow>();
  const flowOf: Record<BrowserName, string> = { 0: 'none', 1: 'none' };
  const codes = new Map<string, string[]>();
  const links: Record<Who, string[]> = { A: [], B: [] };
  const usedCodes: string[] = [];
  const usedCaptchas: string[] = [];
  const lastOtp: Record<Who, string> = { A: '000000', B: '000000' };
  const places: Record<Who, { at: number; browser: BrowserName; flow: string }[]> = { A: [], B: [] };
  const endedWaits: Record<Who, number | undefined> = { A: undefined, B: undefined };

  const otherOf = (who: Who): Who => (who === 'A' ? 'B' : 'A');
  const isFree = (who: Who): boolean => known[who].wrongPasswords < 5;

  /** Takes what was mailed: at most one code, to the person of this passage. */
  async function collect(flowId: string | undefined): Promise<boolean> {
    let hasCode = false;
    for (const { to, code, link } of await driver.mailed()) {
      const who = WHO.find((each) => people[each].email === to);
      if (who === undefined) throw new Error('a mail went to somebody else');
      if (link !== undefined) links[who].push(link);
      if (code === undefined) continue;
      const flow = flowId === undefined ? undefined : flows.get(flowId);
      if (hasCode || flowId === undefined || flow?.person.who !== who) throw new Error('a code out of turn');
      hasCode = true;
      codes.set(flowId, [...(codes.get(flowId) ?? []), code]);
      flow.issued = { code, until: rules.codeUntil(driver.now()) };
    }
    return hasCode;
  }

  /** The password was typed: what waits and is due ends all. */
  function takeEffect(person: PersonState): Ends {
    const wasClosed = person.devices.some(({ isClosed }) => isClosed);
    const ends = rules.takeEffect(person, driver.now());
    if (ends === undefined) return undefined;
    tally.byWaiting += 1;
    if (wasClosed) tally.closedByWaiting += 1;
    return ends;
  }

  async function start(step: Extract<Step, { do: 'start' }>): Promise<Ends> {
    const { browser, who, way } = step;
    const person = known[who];
    if (!isFree(who)) return undefined;
    const used = usedCaptchas.at(-1);
    const captchaId = step.captcha === 'used' && used !== undefined ? used : await driver.captcha(browser);
    const mayPass = step.captcha === 'right' || (step.captcha === 'used' && used === undefined);
    usedCaptchas.push(captchaId);
    const captcha = step.captcha === 'wrong' ? CAPTCHA.toLowerCase() : CAPTCHA;
    const password = step.password === 'right' ? PASSWORD : `${PASSWORD}!`;
    const answer = await driver.start(browser, { way, nip: people[who].nip, password, captchaId, captcha });
    if (!mayPass) {
      if (answer.kind !== 'captcha_wrong') throw new Error('a captcha was taken that is no good');
      return undefined;
    }
    if (step.password === 'wrong' || person.isFrozen) {
      if (answer.kind !== 'refused') throw new Error(`${answer.kind} for a wrong password`);
      person.wrongPasswords += 1;
      return undefined;
    }
    person.wrongPasswords = 0;
    const now = driver.now();
    const ends = way === 'wait' ? takeEffect(person) : undefined;
    const waits = way === 'wait' && ends === undefined && rules.holds(person, now);
    const mails = way === 'wait' && ends === undefined && !waits;
    const mayMail =
      places[who].filter((place) => place.browser === browser && place.at > now - HOUR).length < 3 &&
      places[who].filter(({ at }) => at > now - HOUR).length < 6 &&
      places[who].filter(({ at }) => at > now - 24 * HOUR).length < 20;
    if (mails && !mayMail) {
      if (answer.kind !== 'throttled') throw new Error('more mails than there are');
      return undefined;
    }
    if (answer.kind !== 'started') throw new Error(`${answer.kind} for a right password`);
    const { flowId } = answer;
    flowOf[browser] = flowId;
    flows.set(flowId, {
      browser,
      person,
      way,
      epoch: person.epoch,
      begunAt: now,
      isOver: ends !== undefined || waits,
      issued: undefined,
      wrongCodes: 0,
    });
    if ((await collect(flowId)) !== mails) throw new Error(mails ? 'no code was mailed' : 'a code was mailed');
    if (mails) places[who].push({ at: now, browser, flow: flowId });
    return ends;
  }

  async function otp(step: Extract<Step, { do: 'otp' }>): Promise<Ends> {
    const name = flowOf[step.browser];
    const flow = flows.get(name);
    const who = flow?.person.who ?? 'A';
    const owner = step.of === "other person's" ? otherOf(who) : who;
    const devices = people[owner].devices;
    const device = step.of === 'second' ? (devices[1] ?? devices[0]) : devices[0];
    const right = totp(device?.secret ?? '', new Date(driver.now()));
    const wrong = String((Number(right) + 500_000) % 1_000_000).padStart(6, '0');
    const typed = { right, wrong, used: lastOtp[who] }[step.code];
    const lost = step.lost === 'none' ? 'others' : (people[who].devices[step.lost === 'first' ? 0 : 1]?.id ?? 'x');
    if (step.code === 'right') lastOtp[who] = right;
    const isAlive = rules.isAlive(flow, step.browser, driver.now()) && flow.way === 'factor';
    const ends = isAlive ? rules.otp(flow, { otp: typed, lost }, driver.now()) : undefined;
    const { kind } = await driver.otp(step.browser, name, { otp: typed, lost });
    if (ends !== undefined) tally.byDevice += 1;
    if (ends !== undefined && kind !== 'done') throw new Error(`${kind} for a right code`);
    return ends;
  }

  async function recovery(step: Extract<Step, { do: 'recovery' }>): Promise<Ends> {
    const name = flowOf[step.browser];
    const flow = flows.get(name);
    const who = flow?.person.who ?? 'A';
    const typed = {
      right: [...known[who].codes][0] ?? 'AAAAA-AAAAA-AAAAA',
      wrong: 'BBBBB-BBBBB-BBBBB',
      used: usedCodes.at(-1) ?? 'CCCCC-CCCCC-CCCCC',
      "other person's": people[otherOf(who)].codes[1] ?? '',
    }[step.code];
    const isAlive = rules.isAlive(flow, step.browser, driver.now()) && flow.way === 'factor';
    const ends = isAlive ? rules.recovery(flow, typed, driver.now()) : undefined;
    if (ends !== undefined) usedCodes.push(typed);
    const { kind } = await driver.recovery(step.browser, name, typed);
    if (ends !== undefined) tally.byCode += 1;
    if (ends !== undefined && kind !== 'done') throw new Error(`${kind} for a right recovery code`);
    return ends;
  }

  async function code(step: Extract<Step, { do: 'code' }>): Promise<void> {
    const name = flowOf[step.browser];
    const flow = flows.get(name);
    const own = codes.get(name) ?? [];
    const typed = {
      right: own.at(-1) ?? 'AAAAA-AAAAA',
      wrong: 'DDDDD-DDDDD',
      older: own.at(-2) ?? 'BBBBB-BBBBB',
      "other passage's": [...codes].findLast(([each]) => each !== name)?.[1].at(-1) ?? 'CCCCC-CCCCC',
    }[step.code];
    const now = driver.now();
    const isAlive = rules.isAlive(flow, step.browser, now) && flow.way === 'wait';
    const waitedBefore = flow !== undefined && rules.holds(flow.person, now);
    const isRight = isAlive && rules.code(flow, typed, now);
    const { kind } = await driver.code(step.browser, name, typed);
    if (isRight && kind !== 'done') throw new Error(`${kind} for a right code`);
    if (isRight) {
      const { who } = flow.person;
      const index = places[who].findLastIndex(({ flow: each }) => each === name);
      if (index >= 0) places[who].splice(index, 1);
      if (!waitedBefore && rules.holds(flow.person, now)) {
        tally.begun += 1;
        endedWaits[who] = undefined;
      }
    }
    await collect(undefined);
  }

  async function login(who: Who, password: 'right' | 'wrong'): Promise<Ends> {
    const person = known[who];
    if (!isFree(who)) return undefined;
    const kind = await driver.login(who, password === 'right' ? PASSWORD : `${PASSWORD}!`);
    if (password === 'wrong' || person.isFrozen) {
      if (kind !== 'refused') throw new Error(`${kind} for a wrong password`);
      person.wrongPasswords += 1;
      return undefined;
    }
    if (kind !== 'accepted') throw new Error(`${kind} for a right password`);
    person.wrongPasswords = 0;
    const ends = takeEffect(person);
    if (ends === undefined && (endedWaits[who] ?? Number.POSITIVE_INFINITY) <= driver.now()) tally.inVain += 1;
    return ends;
  }

  /** A waiting reset that was stopped or became void: typing the password once it would have been due is in vain. */
  function noteEnd(who: Who): void {
    const { waiting } = known[who];
    if (waiting !== undefined) endedWaits[who] = waiting.dueAt;
  }

  async function fullLogin(who: Who): Promise<Ends> {
    const person = known[who];
    const [device] = person.devices;
    if (
      device === undefined ||
      device.isClosed ||
      person.isFrozen ||
      !isFree(who) ||
      !rules.mayTry(person, driver.now())
    )
      return undefined;
    const ends = await login(who, 'right');
    if (ends !== undefined) return ends;
    const current = Math.floor(driver.now() / 30_000);
    if (device.lastStep >= current) return undefined;
    const verdict = await driver.spend(who, totp(device.secret, new Date(driver.now())));
    if (verdict.kind !== 'accepted') throw new Error(`${verdict.kind} for a right code at the login`);
    device.lastStep = current;
    person.failures = 0;
    person.waitsUntil = 0;
    await driver.stop(who, 'login');
    noteEnd(who);
    person.waiting = undefined;
    return undefined;
  }

  async function act(step: Step): Promise<Ends> {
    switch (step.do) {
      case 'start':
        return start(step);
      case 'otp':
        return otp(step);
      case 'recovery':
        return recovery(step);
      case 'code':
        await code(step);
        return undefined;
      case 'resend': {
        const name = flowOf[step.browser];
        const answer = await driver.resend(step.browser, name);
        const mailed = await collect(name);
        if (mailed !== (answer.kind === 'sent')) throw new Error('sent without a mail, or a mail without');
        const flow = flows.get(name);
        if (mailed && flow !== undefined) {
          if (!rules.isAlive(flow, step.browser, driver.now())) throw new Error('a passage that is over mails');
          places[flow.person.who].push({ at: driver.now(), browser: step.browser, flow: name });
        }
        return undefined;
      }
      case 'steal':
        flowOf[step.browser] = flowOf[step.browser === 0 ? 1 : 0];
        return undefined;
      case 'stop': {
        const person = known[step.who];
        const link = links[step.who].at(-1);
        if (step.by === 'wrong link') {
          await driver.stopByLink('0'.repeat(26));
          return undefined;
        }
        if (step.by === 'link' && link === undefined) return undefined;
        if (step.by === 'link') await driver.stopByLink(link ?? '');
        else await driver.stop(step.who, 'person');
        noteEnd(step.who);
        person.waiting = undefined;
        return undefined;
      }
      case 'login':
        return login(step.who, step.password);
      case 'full login':
        return fullLogin(step.who);
      case 'change': {
        await driver.change(step.who, step.what);
        const person = known[step.who];
        if (step.what === 'closed') {
          // A reset that waits goes on: it is the way out.
          if (person.devices.length > 0) tally.closed += 1;
          rules.close(person);
          return undefined;
        }
        noteEnd(step.who);
        if (step.what === 'password') Object.assign(person, { epoch: person.epoch + 1, wrongPasswords: 0 });
        else if (step.what === 'address') person.address += 1;
        else person.isFrozen = step.what === 'frozen';
        return undefined;
      }
      case 'wait':
        driver.wait(step.minutes);
        return undefined;
    }
  }

  tally.sequences += 1;
  let before = await driver.observe();
  for (const [index, step] of steps.entries()) {
    tally.steps += 1;
    const complain = (what: string): never => {
      throw new Error(`step ${index + 1}, ${step.do}: ${what}`);
    };
    const ends = await act(step).catch((error: unknown) => complain(error instanceof Error ? error.message : 'failed'));
    // Time and hands that pass change nothing by themselves; what they lead to is seen after the next step.
    if (step.do === 'wait' || step.do === 'steal') continue;
    await collect(undefined);
    const after = await driver.observe();
    for (const who of WHO) {
      const ended = before[who].devices.filter((id) => !after[who].devices.includes(id));
      const must = ends?.who !== who ? [] : ends.what === 'all' ? before[who].devices : ends.what;
      if (ended.toSorted().join() !== must.toSorted().join()) {
        complain(`of ${who} ended [${ended.join()}] instead of [${must.join()}]`);
      }
      const isClosed = step.do === 'change' && step.what === 'closed' && step.who === who;
      const codesLeft = isClosed || (ends?.who === who && ends.what === 'all') ? 0 : before[who].codes;
      if (after[who].codes !== codesLeft) complain(`${after[who].codes} recovery codes of ${who}, not ${codesLeft}`);
      if (after[who].devices.some((id) => !before[who].devices.includes(id))) complain('a device appeared');
    }
    before = after;
  }
}
