import fc from 'fast-check';

export type Who = 'A' | 'B';
export type BrowserName = 0 | 1;
export type Lost = 'none' | 'first' | 'second';

/** What somebody does next; which passage, code and link that means follows from what was done before. */
export type Step =
  | {
      do: 'start';
      browser: BrowserName;
      who: Who;
      way: 'factor' | 'wait';
      captcha: 'right' | 'wrong' | 'used';
      password: 'right' | 'wrong';
    }
  | {
      do: 'otp';
      browser: BrowserName;
      of: 'first' | 'second' | "other person's";
      code: 'right' | 'wrong' | 'used';
      lost: Lost;
    }
  | { do: 'recovery'; browser: BrowserName; code: 'right' | 'wrong' | 'used' | "other person's" }
  | { do: 'code'; browser: BrowserName; code: 'right' | 'wrong' | 'older' | "other passage's" }
  | { do: 'resend'; browser: BrowserName }
  /** A passage's name in the hands of the other browser. */
  | { do: 'steal'; browser: BrowserName }
  | { do: 'stop'; who: Who; by: 'link' | 'person' | 'wrong link' }
  /** The password typed on the login page. */
  | { do: 'login'; who: Who; password: 'right' | 'wrong' }
  /** A login with the old factor as well. */
  | { do: 'full login'; who: Who }
  | { do: 'change'; who: Who; what: 'password' | 'address' | 'frozen' | 'thawed' | 'closed' }
  | { do: 'wait'; minutes: number };

/** What honest people do comes more often: else hardly a sequence would get anywhere. */
const mostly = <const T extends string>(honest: T, ...rest: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(honest) }, { weight: 1, arbitrary: fc.constantFrom(...rest) });

const browser = fc.constantFrom<BrowserName>(0, 1);
const who = fc.constantFrom<Who>('A', 'A', 'B');
const of = <T extends Step['do']>(name: T) => fc.constant(name);

const start = fc.record({
  do: of('start'),
  browser,
  who,
  way: fc.constantFrom('factor', 'wait', 'wait'),
  captcha: mostly('right', 'wrong', 'used'),
  password: mostly('right', 'wrong'),
});
const otp = fc.record({
  do: of('otp'),
  browser,
  of: fc.constantFrom('first', 'second', "other person's"),
  code: mostly('right', 'wrong', 'used'),
  lost: fc.constantFrom<Lost>('none', 'none', 'first', 'second'),
});
const recovery = fc.record({
  do: of('recovery'),
  browser,
  code: mostly('right', 'wrong', 'used', "other person's"),
});
const code = fc.record({ do: of('code'), browser, code: mostly('right', 'wrong', 'older', "other passage's") });
const resend = fc.record({ do: of('resend'), browser });
const steal = fc.record({ do: of('steal'), browser });
const stop = fc.record({ do: of('stop'), who, by: fc.constantFrom('link', 'person', 'wrong link') });
const login = fc.record({ do: of('login'), who, password: mostly('right', 'wrong') });
const fullLogin = fc.record({ do: of('full login'), who });
const change = fc.record({
  do: of('change'),
  who,
  what: fc.constantFrom('password', 'address', 'frozen', 'thawed', 'closed'),
});
const wait = fc.record({ do: of('wait'), minutes: fc.constantFrom(1, 16, 31, 13 * 60, 24 * 60, 24 * 60, 8 * 24 * 60) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: start },
  { weight: 3, arbitrary: otp },
  { weight: 3, arbitrary: recovery },
  { weight: 5, arbitrary: code },
  { weight: 1, arbitrary: resend },
  { weight: 1, arbitrary: steal },
  { weight: 2, arbitrary: stop },
  { weight: 3, arbitrary: login },
  { weight: 1, arbitrary: fullLogin },
  { weight: 1, arbitrary: change },
  { weight: 3, arbitrary: wait },
);

const begin = (at: BrowserName, person: Who, way: 'factor' | 'wait'): Step => ({
  do: 'start',
  browser: at,
  who: person,
  way,
  captcha: 'right',
  password: 'right',
});

/** The whole way with neither code nor device, to its end at the login or on its own page. */
const patient = fc
  .tuple(browser, who, fc.boolean())
  .map(([at, person, atLogin]): Step[] => [
    begin(at, person, 'wait'),
    { do: 'code', browser: at, code: 'right' },
    { do: 'wait', minutes: 24 * 60 },
    atLogin ? { do: 'login', who: person, password: 'right' } : begin(at, person, 'wait'),
  ]);
const equipped = fc
  .tuple(browser, who, recovery, otp)
  .map(([at, person, byCode, byDevice]): Step[] => [
    begin(at, person, 'factor'),
    { ...byDevice, browser: at },
    { ...byCode, browser: at },
  ]);

/** The same of somebody whose apps were closed by wrong codes before: the one way that is left. */
const shutOut = patient.map((way): Step[] => [
  { do: 'change', who: way[0]?.do === 'start' ? way[0].who : 'A', what: 'closed' },
  ...way,
]);

/** The same, but something comes between. */
const thwarted = fc.tuple(patient, fc.oneof(stop, fullLogin, change)).map(([[first, second, third, last], between]) => {
  const against = { ...between, who: first?.do === 'start' ? first.who : 'A' } as Step;
  return [first, second, against, third, last].filter((each) => each !== undefined);
});

/** An honest way with strange steps put in between. */
const crossed = fc
  .tuple(
    fc.oneof(
      { weight: 2, arbitrary: patient },
      { weight: 1, arbitrary: shutOut },
      { weight: 1, arbitrary: thwarted },
      { weight: 2, arbitrary: equipped },
    ),
    fc.array(fc.tuple(step, fc.nat(9)), { maxLength: 6 }),
  )
  .map(([way, strange]) => strange.reduce((steps, [one, at]) => steps.toSpliced(at % (steps.length + 1), 0, one), way));

export const sequences: fc.Arbitrary<Step[]> = fc.oneof(fc.array(step, { minLength: 1, maxLength: 10 }), {
  weight: 2,
  arbitrary: crossed,
});
