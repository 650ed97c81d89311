import type { BrowserName, Who } from './steps.js';
import type { TypedCode, TypedWeak } from './rules.js';

/** Two people for one sequence of steps, and nobody else's. */
export interface TwoPeople {
  readonly A: Person;
  readonly B: Person;
}

export interface Person {
  readonly id: string;
  readonly nip: string;
  readonly email: string;
  /** Of the app, while codes of it are taken. */
  readonly secret: string | undefined;
  /** Of whatever kind: then the mailed code is not enough. */
  readonly hasFactor: boolean;
  readonly recoveryCodes: readonly string[];
  readonly password: string | undefined;
}

/** What the database says of a person. */
export interface Observed {
  readonly credEpoch: number;
  /** Ids, states and secrets of all factors. */
  readonly factors: string;
  readonly sessions: number;
}

/** One way to the program: its use-cases, or its pages over HTTP. Names of flows and captchas are the program's. */
export interface Driver {
  now(): number;
  wait(minutes: number): void;
  captcha(browser: BrowserName): Promise<string>;
  /** The name of the flow that has begun; undefined when the captcha was refused. */
  start(browser: BrowserName, typed: { nip: string; captcha: string; answer: string }): Promise<string | undefined>;
  email(browser: BrowserName, flow: string, typed: string): Promise<'throttled' | 'other'>;
  resend(browser: BrowserName, flow: string): Promise<'throttled' | 'other'>;
  code(browser: BrowserName, flow: string, typed: TypedCode): Promise<void>;
  weak(browser: BrowserName, nip: string, typed: TypedWeak): Promise<void>;
  open(browser: BrowserName, flow: string, page: 'email' | 'code' | 'done'): Promise<void>;
  /** The codes mailed since it was asked last; waits for one to the address `awaited`. */
  codesMailed(awaited: string | undefined): Promise<readonly { readonly to: string; readonly code: string }[]>;
  observe(people: TwoPeople): Promise<Record<Who, Observed>>;
  /** Whether this is the person's password now. */
  isPassword(id: string, password: string): Promise<boolean>;
  /** Throws when a browser has anything that a login leaves. */
  requireNobodySignedIn(): Promise<void>;
}

export const otherOf = (who: Who): Who => (who === 'A' ? 'B' : 'A');
