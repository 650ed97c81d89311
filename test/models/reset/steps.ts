import fc from 'fast-check';

export type Who = 'A' | 'B';
export type BrowserName = 0 | 1;

/** What somebody in one of two browsers does next; which flow, which code that means follows from what was done before. */
export type Step =
  | { do: 'start'; browser: BrowserName; who: Who; captcha: 'right' | 'wrong' | 'used' | "other browser's" }
  | { do: 'email'; browser: BrowserName; typed: 'own' | 'wrong' | "other person's" }
  | { do: 'resend'; browser: BrowserName }
  | {
      do: 'code';
      browser: BrowserName;
      code: 'right' | 'wrong' | 'older' | "other flow's" | 'none';
      password: 'good' | 'weak' | 'mismatched';
      otp: Otp;
    }
  | { do: 'open'; browser: BrowserName; page: 'email' | 'code' | 'done' }
  /** An earlier post once more: from the browser that sent it, or, flow cookie and all, from the other one. */
  | { do: 'replay'; back: number; from: 'same' | 'other' }
  | { do: 'weak'; browser: BrowserName; who: Who; old: 'right' | 'wrong'; password: 'good' | 'same'; otp: Otp }
  | { do: 'wait'; minutes: number };

/** The one field: a one-time code or a recovery code. */
export type Otp = 'none' | 'right' | 'wrong' | 'used' | 'recovery' | 'used recovery';

/** The first alternative is what honest people do, and comes more often: else hardly a sequence would get anywhere. */
const mostly = <const T extends string>(honest: T, ...rest: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(honest) }, { weight: 1, arbitrary: fc.constantFrom(...rest) });

const browser = fc.constantFrom<BrowserName>(0, 1);
const who = fc.constantFrom<Who>('A', 'B');
const otp = fc.oneof(
  { weight: 3, arbitrary: mostly<Otp>('right', 'none', 'wrong', 'used') },
  { weight: 1, arbitrary: mostly<Otp>('recovery', 'used recovery') },
);

const start = fc.record({
  do: fc.constant('start' as const),
  browser,
  who,
  captcha: mostly('right', 'wrong', 'used', "other browser's"),
});
const email = fc.record({
  do: fc.constant('email' as const),
  browser,
  typed: mostly('own', 'wrong', "other person's"),
});
const code = fc.record({
  do: fc.constant('code' as const),
  browser,
  code: fc.oneof(
    { weight: 4, arbitrary: fc.constant('right' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('wrong' as const, 'older' as const, "other flow's" as const, 'none' as const),
    },
  ),
  password: mostly('good', 'weak', 'mismatched'),
  otp,
});
const resend = fc.record({ do: fc.constant('resend' as const), browser });
const open = fc.record({ do: fc.constant('open' as const), browser, page: fc.constantFrom('email', 'code', 'done') });
const replay = fc.record({
  do: fc.constant('replay' as const),
  back: fc.integer({ min: 1, max: 6 }),
  from: fc.constantFrom('same', 'other'),
});
const weak = fc.record({
  do: fc.constant('weak' as const),
  browser,
  who,
  old: mostly('right', 'wrong'),
  password: mostly('good', 'same'),
  otp,
});
const wait = fc.record({ do: fc.constant('wait' as const), minutes: fc.constantFrom(1, 9, 16, 61) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: start },
  { weight: 5, arbitrary: email },
  { weight: 7, arbitrary: code },
  { weight: 2, arbitrary: resend },
  { weight: 1, arbitrary: open },
  { weight: 2, arbitrary: replay },
  { weight: 1, arbitrary: weak },
  { weight: 1, arbitrary: wait },
);

/** The way of an honest person, to be crossed with anything. */
const honest = fc
  .record({ browser, who, otp: fc.constantFrom<Otp>('right', 'recovery', 'none') })
  .map(({ browser: at, who: person, otp: typed }): Step[] => [
    { do: 'start', browser: at, who: person, captcha: 'right' },
    { do: 'email', browser: at, typed: 'own' },
    { do: 'code', browser: at, code: 'right', password: 'good', otp: typed },
  ]);

const anything = fc.array(step, { minLength: 1, maxLength: 8 });

/** An honest way with strange steps put in between. */
const crossed = fc
  .tuple(honest, fc.array(fc.tuple(step, fc.nat(8)), { maxLength: 6 }))
  .map(([way, strange]) => strange.reduce((steps, [one, at]) => steps.toSpliced(at % (steps.length + 1), 0, one), way));

export const sequences: fc.Arbitrary<Step[]> = fc.oneof(anything, crossed);
