import { totp } from '../../support/totp.js';
import type { BrowserName, Who } from './steps.js';

/** What a reset of MFA by the person demands, told once more and apart from the program (ADR 0015, R-01, R-07, R-08). */

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
const FLOW_MINUTES = 30;
const CODE_MINUTES = 15;
const CODE_TRIES = 5;
const OTP_SPELL = 5;
const OTP_WAIT_MINUTES = 15;
const OTP_AN_HOUR = 10;
const WAIT = 24 * HOUR;
const LAPSE = 7 * 24 * HOUR;

export interface DeviceState {
  readonly id: string;
  readonly secret: string;
  lastStep: number;
  /** None of its codes is taken any more; it ends with a reset only. */
  isClosed: boolean;
}

export interface PersonState {
  readonly who: Who;
  devices: DeviceState[];
  /** Of the living set; none when there is no such set. */
  codes: Set<string>;
  /** What every change of credentials makes another one. */
  epoch: number;
  address: number;
  isFrozen: boolean;
  wrongPasswords: number;
  failures: number;
  failedAt: number[];
  waitsUntil: number;
  waiting: { readonly dueAt: number; readonly epoch: number; readonly address: number } | undefined;
}

export interface Flow {
  readonly browser: BrowserName;
  readonly person: PersonState;
  readonly way: 'factor' | 'wait';
  readonly epoch: number;
  readonly begunAt: number;
  isOver: boolean;
  issued: { readonly code: string; readonly until: number } | undefined;
  wrongCodes: number;
}

/** What must have ended after a step: nothing, all factors, or these devices. */
export type Ends = { readonly who: Who; readonly what: 'all' | readonly string[] } | undefined;

export const rules = {
  /** Whether the waiting reset of a person can still take effect. */
  holds({ waiting, epoch, address, isFrozen }: PersonState, now: number): boolean {
    return waiting?.epoch === epoch && waiting.address === address && !isFrozen && now < waiting.dueAt + LAPSE;
  },

  isDue: (person: PersonState, now: number): boolean =>
    rules.holds(person, now) && now >= (person.waiting?.dueAt ?? Number.POSITIVE_INFINITY),

  /** The password was typed right after the wait: all ends, exactly once. */
  takeEffect(person: PersonState, now: number): Ends {
    if (!rules.isDue(person, now)) return undefined;
    person.waiting = undefined;
    return rules.endAll(person);
  },

  endAll(person: PersonState): Ends {
    person.devices = [];
    person.codes = new Set();
    person.epoch += 1;
    person.failures = 0;
    return { who: person.who, what: 'all' };
  },

  /** The fiftieth wrong code: no app and no recovery code of this person is taken any more, but all stay bound. */
  close(person: PersonState): void {
    for (const device of person.devices) device.isClosed = true;
    person.codes = new Set();
    person.failures = 0;
    person.waitsUntil = 0;
  },

  begin(person: PersonState, now: number): void {
    if (rules.holds(person, now)) return;
    person.waiting = { dueAt: now + WAIT, epoch: person.epoch, address: person.address };
  },

  isAlive: (flow: Flow | undefined, browser: BrowserName, now: number): flow is Flow =>
    flow?.browser === browser &&
    !flow.isOver &&
    now < flow.begunAt + FLOW_MINUTES * MINUTE &&
    flow.epoch === flow.person.epoch &&
    !flow.person.isFrozen,

  mayTry: (person: PersonState, now: number): boolean =>
    now >= person.waitsUntil && person.failedAt.filter((at) => at > now - HOUR).length < OTP_AN_HOUR,

  /** One wrong factor; at the cap the passage is over. */
  fail(flow: Flow, now: number): void {
    const { person } = flow;
    person.failures += 1;
    person.failedAt.push(now);
    if (person.failures % OTP_SPELL !== 0) return;
    person.waitsUntil = now + OTP_WAIT_MINUTES * MINUTE;
    flow.isOver = true;
  },

  otp(flow: Flow, typed: { otp: string; lost: string }, now: number): Ends {
    const { person } = flow;
    const lost = person.devices.find(({ id }) => id === typed.lost);
    const usable = person.devices.filter(({ isClosed }) => !isClosed);
    if (person.devices.length < 2 || usable.length === 0 || (typed.lost !== 'others' && lost === undefined))
      return undefined;
    if (!rules.mayTry(person, now)) {
      flow.isOver = true;
      return undefined;
    }
    const current = Math.floor(now / 30_000);
    for (const device of usable) {
      const step = [current + 1, current, current - 1].find(
        (each) => totp(device.secret, new Date(each * 30_000)) === typed.otp,
      );
      if (step === undefined) continue;
      if (step <= device.lastStep) return undefined;
      device.lastStep = step;
      person.failures = 0;
      person.waitsUntil = 0;
      if (lost === device) return undefined;
      const ended = person.devices.filter((each) => each !== device && (lost === undefined || each === lost));
      person.devices = person.devices.filter((each) => !ended.includes(each));
      person.epoch += 1;
      flow.isOver = true;
      return { who: person.who, what: ended.map(({ id }) => id) };
    }
    rules.fail(flow, now);
    return undefined;
  },

  recovery(flow: Flow, code: string, now: number): Ends {
    const { person } = flow;
    if (!rules.mayTry(person, now)) {
      flow.isOver = true;
      return undefined;
    }
    if (!person.codes.has(code)) {
      rules.fail(flow, now);
      return undefined;
    }
    flow.isOver = true;
    return rules.endAll(person);
  },

  /** Answers whether the mailed code was right; it is then used up, and the passage with it. */
  code(flow: Flow, typed: string, now: number): boolean {
    const { issued, person } = flow;
    if (issued?.code === typed && now < issued.until) {
      flow.isOver = true;
      if (person.devices.length > 0) rules.begin(person, now);
      return true;
    }
    // A code that has run out is no wrong try: none is open.
    if (issued === undefined || now >= issued.until) return false;
    flow.wrongCodes += 1;
    if (flow.wrongCodes >= CODE_TRIES) flow.isOver = true;
    return false;
  },

  codeUntil: (now: number): number => now + CODE_MINUTES * MINUTE,
};
