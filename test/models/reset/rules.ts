import { totp } from '../../support/totp.js';
import type { BrowserName, Who } from './steps.js';

/** What a password reset demands, told once more and apart from the program (SECURITY.md, 3.1). */

const MINUTE = 60_000;
const FLOW_MINUTES = 60;
const CODE_MINUTES = 15;
/** A right code stays right for so long, and need not be typed again. */
const VERIFIED_MINUTES = 10;
const CODE_TRIES = 5;
const ADDRESS_TRIES = 5;
const OTP_SPELL = 5;
const OTP_WAIT_MINUTES = 15;

export interface PersonState {
  readonly who: Who;
  /** Of the app whose codes are taken; undefined without one. */
  readonly secret: string | undefined;
  readonly hasFactor: boolean;
  /** Not yet spent. */
  readonly recoveryCodes: Set<string>;
  password: string | undefined;
  lastStep: number;
  wrongOtps: number;
  otpWaitsUntil: number;
  wrongPasswords: number;
}

interface Flow {
  readonly browser: BrowserName;
  readonly person: PersonState;
  readonly begunAt: number;
  state: 'named' | 'mailed' | 'over';
  addressTries: number;
  /** The address typed last was the person's. */
  addressIsRight: boolean;
  /** What was issued last: a code that was mailed, or, for a wrong address, one that nobody has. */
  issued: { code: string | undefined; until: number; verified: boolean } | undefined;
  wrongCodes: number;
}

export interface TypedCode {
  readonly code: string;
  readonly password: string;
  readonly confirmation: string;
  readonly otp: string;
}

export interface TypedWeak extends Omit<TypedCode, 'code'> {
  readonly who: Who;
  readonly old: string;
}

/** Refused by two rules at least. */
export const WEAK = 'Kuda Zebra';

export function createRules(people: Readonly<Record<Who, PersonState>>) {
  const flows = new Map<string, Flow>();

  const alive = (flow: Flow | undefined, browser: BrowserName, now: number): flow is Flow =>
    flow?.browser === browser && flow.state !== 'over' && now < flow.begunAt + FLOW_MINUTES * MINUTE;

  /** Judges a one-time code and spends its step, or a recovery code. */
  function takesOtp(person: PersonState, otp: string, now: number): boolean {
    if (!person.hasFactor) return true;
    if (otp === '' || now < person.otpWaitsUntil) return false;
    if (person.recoveryCodes.delete(otp)) {
      person.wrongOtps = 0;
      return true;
    }
    const current = Math.floor(now / 30_000);
    const { secret } = person;
    const step =
      secret === undefined
        ? undefined
        : [current + 1, current, current - 1].find((each) => totp(secret, new Date(each * 30_000)) === otp);
    if (step !== undefined && step <= person.lastStep) return false; // Told as spent, and no failure.
    if (step !== undefined) {
      person.lastStep = step;
      person.wrongOtps = 0;
      return true;
    }
    person.wrongOtps += 1;
    if (person.wrongOtps % OTP_SPELL === 0) person.otpWaitsUntil = now + OTP_WAIT_MINUTES * MINUTE;
    return false;
  }

  /** A password that was changed ends every code of the person, and by reset every other flow. */
  function changed(person: PersonState, password: string, by: 'reset' | 'weak'): Who {
    person.password = password;
    for (const flow of flows.values()) {
      if (flow.person !== person) continue;
      flow.issued = undefined;
      if (by === 'reset') flow.state = 'over';
    }
    return person.who;
  }

  return {
    /** A flow has begun; whether it may was judged by its captcha. */
    begin(flowId: string, browser: BrowserName, who: Who, now: number): void {
      flows.set(flowId, {
        browser,
        person: people[who],
        begunAt: now,
        state: 'named',
        addressTries: 0,
        addressIsRight: false,
        issued: undefined,
        wrongCodes: 0,
      });
    },

    /** Answers whether a code may be mailed now: to the person of the flow, and nobody else. */
    address(
      flowId: string,
      browser: BrowserName,
      typed: { isRight: boolean } | 'resend',
      now: number,
    ): Who | undefined {
      const flow = flows.get(flowId);
      if (!alive(flow, browser, now)) return undefined;
      if (typed === 'resend' && flow.state !== 'mailed') return undefined;
      flow.state = 'mailed';
      flow.addressTries += 1;
      if (typed !== 'resend') flow.addressIsRight = typed.isRight;
      flow.issued = { code: undefined, until: now + CODE_MINUTES * MINUTE, verified: false };
      return flow.addressIsRight && flow.addressTries <= ADDRESS_TRIES ? flow.person.who : undefined;
    },

    /** The code that came by mail in answer to {@link address}. */
    mailed(flowId: string, code: string): void {
      const issued = flows.get(flowId)?.issued;
      if (issued !== undefined) issued.code = code;
    },

    /** Whose password a post of the last page must change now; undefined: nobody's may change. */
    code(flowId: string, browser: BrowserName, typed: TypedCode, now: number): Who | undefined {
      const flow = flows.get(flowId);
      if (!alive(flow, browser, now) || flow.issued === undefined || now >= flow.issued.until) return undefined;
      const { issued, person } = flow;
      if (issued.code === undefined || (typed.code !== issued.code && !(typed.code === '' && issued.verified))) {
        flow.wrongCodes += 1;
        if (flow.wrongCodes >= CODE_TRIES) flow.state = 'over';
        return undefined;
      }
      if (!issued.verified) Object.assign(issued, { verified: true, until: now + VERIFIED_MINUTES * MINUTE });
      if (typed.password === WEAK || typed.password !== typed.confirmation) return undefined;
      return takesOtp(person, typed.otp, now) ? changed(person, typed.password, 'reset') : undefined;
    },

    /** The same for *Reset Password Lemah*, which asks for the old password instead of a code. */
    weak({ who, old, password, confirmation, otp }: TypedWeak, now: number): Who | undefined {
      const person = people[who];
      if (person.password === undefined || old !== person.password) {
        person.wrongPasswords += 1;
        return undefined;
      }
      person.wrongPasswords = 0;
      if (password === WEAK || password === old || password !== confirmation) return undefined;
      return takesOtp(person, otp, now) ? changed(person, password, 'weak') : undefined;
    },
  };
}
