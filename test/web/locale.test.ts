import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseLocale, firstSpoken, loadTranslators, timesIn, type LocaleHints } from '#src/web/locale.js';

const directory = join(process.cwd(), 'views', 'locales');

describe('the language of an answer', () => {
  test.each<[string, LocaleHints, 'id' | 'en']>([
    ['Indonesian when nothing is known', {}, 'id'],
    ['what was just asked for, before all else', { asked: 'en', remembered: 'id', acceptLanguage: 'id' }, 'en'],
    ['what was chosen before, before the browser', { remembered: 'en', acceptLanguage: 'id' }, 'en'],
    ['the browser when the choice is unknown', { asked: 'fr', remembered: '../x', acceptLanguage: 'en' }, 'en'],
    ['what the service asked for, before the browser', { requested: 'en', acceptLanguage: 'id' }, 'en'],
    ['what was chosen, before what the service asked for', { remembered: 'id', requested: 'en' }, 'id'],
    ['the range with the highest weight', { acceptLanguage: 'id;q=0.5, en-GB;q=0.9' }, 'en'],
    ['the first of equal weight', { acceptLanguage: 'en-US,id' }, 'en'],
    ['Indonesian for Malay', { acceptLanguage: 'ms-MY,en;q=0.8' }, 'id'],
    ['Indonesian for the old code "in"', { acceptLanguage: 'in-ID,en;q=0.8' }, 'id'],
    ['the next one spoken', { acceptLanguage: 'jv,fr;q=0.9,en;q=0.3' }, 'en'],
    ['nothing that was refused', { acceptLanguage: 'en;q=0' }, 'id'],
    ['Indonesian for what is no language', { acceptLanguage: 'constructor, *;q=x,,;;' }, 'id'],
  ])('is %s', (_, hints, expected) => {
    expect(chooseLocale(hints)).toBe(expected);
  });

  test.each([
    ['en', 'en'],
    ['en-GB id', 'en'],
    ['jv fr ID en', 'id'],
    ['ms-MY', 'id'],
    ['fr', undefined],
    ['', undefined],
    ['../en constructor', undefined],
    ['x '.repeat(1000) + 'en', undefined],
  ])('that a service asks for by %j is %s', (uiLocales, expected) => {
    expect(firstSpoken(uiLocales)).toBe(expected);
  });

  test('is found quickly in a hostile header', () => {
    expect(chooseLocale({ acceptLanguage: 'x,'.repeat(1_000_000) + 'en' })).toBe('id');
  });
});

describe('texts', () => {
  const { id, en } = loadTranslators(directory);

  test('have their placeholders filled', () => {
    expect(id('signIn.password.title', { service: 'MyASN' })).toBe('Masuk ke MyASN');
    expect(en('signIn.password.title', { service: 'MyASN' })).toBe('Log in to MyASN');
  });

  test.each([
    [1, 'in 1 second'],
    [30, 'in 30 seconds'],
  ])('agree with the count %i', (seconds, expected) => {
    expect(en('when.seconds', { seconds })).toBe(expected);
  });

  test('throw for a key nobody wrote', () => {
    expect(() => id('signIn.password.nothing')).toThrow('signIn.password.nothing');
  });

  test('throw for a value nobody gave', () => {
    expect(() => id('signIn.password.title', {})).toThrow('{service}');
  });

  test('are the same keys with the same placeholders in both languages', () => {
    const shape = (locale: string): string[] => {
      const lines: string[] = [];
      const walk = (node: unknown, path: string): void => {
        if (typeof node === 'string') {
          const names = [...node.matchAll(/\{(\w+)/g)].map((match) => match[1]);
          lines.push(`${path} ${[...new Set(names)].sort().join(' ')}`);
        } else for (const [key, child] of Object.entries(node as object)) walk(child, `${path}.${key}`);
      };
      walk(JSON.parse(readFileSync(join(directory, `${locale}.json`), 'utf8')), '');
      return lines.sort();
    };
    expect(shape('en')).toEqual(shape('id'));
  });

  test('hold no HTML and none of the words people cannot act on', () => {
    const indonesian = readFileSync(join(directory, 'id.json'), 'utf8');
    const english = readFileSync(join(directory, 'en.json'), 'utf8');
    expect(indonesian + english).not.toMatch(/[<>]/);
    // Values only: keys may be called what they like. Who operates or builds an application knows what a token is.
    const { client, developer, ...everyones } = JSON.parse(indonesian) as Record<string, object>;
    const valuesOf = (texts: object): string[] =>
      [...JSON.stringify(texts, null, 1).matchAll(/: "(.*)"/g)].map((match) => match[1] ?? '');
    const NEVER = /\b(error|invalid|sistem|silakan|mohon|maaf)\b|dan\/atau|!/i;
    expect([everyones, { client, developer }].flatMap(valuesOf).filter((value) => NEVER.test(value))).toEqual([]);
    expect(valuesOf(everyones).filter((value) => /\btoken\b/i.test(value))).toEqual([]);
  });
});

describe('times', () => {
  const at = new Date('2026-11-23T01:15:42Z');
  const nearMidnight = new Date('2026-12-31T17:30:00Z');

  test.each([
    ['id', 'WIB', '08.15 WIB', '08.15.42', '2026-11-23T08:15:42+07:00'],
    ['id', 'WITA', '09.15 WITA', '09.15.42', '2026-11-23T09:15:42+08:00'],
    ['id', 'WIT', '10.15 WIT', '10.15.42', '2026-11-23T10:15:42+09:00'],
    ['en', 'WIB', '08:15 WIB', '08:15:42', '2026-11-23T08:15:42+07:00'],
  ] as const)('in %s are the wall clock of %s', (locale, zone, time, clock, iso) => {
    const times = timesIn(locale);
    expect([times.time(at, zone), times.clock(at, zone), times.iso(at, zone)]).toEqual([time, clock, iso]);
  });

  test('name the day it is in Jakarta', () => {
    expect(timesIn('id').date(at)).toBe('23 November 2026');
    expect(timesIn('id').date(nearMidnight)).toBe('1 Januari 2027');
    expect(timesIn('en').date(nearMidnight)).toBe('1 January 2027');
  });
});
