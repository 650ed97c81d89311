import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Indonesian first, English second; nothing else is spoken. */
export type Locale = 'id' | 'en';

export const LOCALES: readonly Locale[] = ['id', 'en'];

/**
 * A text in one language, its `{placeholders}` filled; `{count:minute|minutes}` prints the word that
 * goes with the count. Throws when the key or a value is missing.
 */
export type Translate = (key: string, values?: Readonly<Record<string, string | number>>) => string;

export interface LocaleHints {
  /** `?lang=`: the person has just chosen. */
  readonly asked?: string | undefined;
  /** What the person chose before. */
  readonly remembered?: string | undefined;
  /** What the service that sent the person here asked for. */
  readonly requested?: string | undefined;
  readonly acceptLanguage?: string | undefined;
}

const explicit = (value: string | undefined): Locale | undefined => LOCALES.find((locale) => locale === value);

/** `in` is how old Android phones write `id`; who reads Malay reads Indonesian sooner than English. */
const SPOKEN = new Map<string, Locale>([
  ['id', 'id'],
  ['in', 'id'],
  ['ms', 'id'],
  ['en', 'en'],
]);

/** The language of the most wanted range we speak (RFC 9110 section 12.5.4), or Indonesian. */
function accepted(header: string): Locale {
  let best: { locale: Locale; quality: number } = { locale: 'id', quality: 0 };
  // A browser sends a handful; the bound keeps a hostile header cheap.
  for (const range of header.slice(0, 500).split(',')) {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const locale = SPOKEN.get(tag.split('-')[0] ?? '');
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const quality = weight === undefined ? 1 : Number(weight);
    if (locale !== undefined && quality > best.quality) best = { locale, quality };
  }
  return best.locale;
}

/** The first of a service's `ui_locales` that we speak (OpenID Connect Core section 3.1.2.1). */
export function firstSpoken(uiLocales: string): Locale | undefined {
  for (const tag of uiLocales.slice(0, 500).toLowerCase().split(' ')) {
    const locale = SPOKEN.get(tag.split('-')[0] ?? '');
    if (locale !== undefined) return locale;
  }
  return undefined;
}

/**
 * The language to answer in: the explicit choice, else the remembered one, else the one that the service asked for,
 * else the browser's, else Indonesian.
 */
export function chooseLocale({ asked, remembered, requested, acceptLanguage }: LocaleHints): Locale {
  return explicit(asked) ?? explicit(remembered) ?? explicit(requested) ?? accepted(acceptLanguage ?? '');
}

type Messages = ReadonlyMap<string, string>;

function flatten(node: unknown, prefix: string, into: Map<string, string>): Map<string, string> {
  if (typeof node === 'string') return into.set(prefix, node);
  if (typeof node !== 'object' || node === null) throw new Error(`Locale text ${prefix} is not a string`);
  for (const [key, child] of Object.entries(node)) flatten(child, prefix === '' ? key : `${prefix}.${key}`, into);
  return into;
}

const PLACEHOLDER = /\{(\w+)(?::([^|}]+)\|([^}]+))?\}/g;

function translator(locale: Locale, messages: Messages): Translate {
  return (key, values = {}) => {
    const message = messages.get(key);
    if (message === undefined) throw new Error(`No text ${key} in locale ${locale}`);
    return message.replace(PLACEHOLDER, (_, name: string, one: string | undefined, many: string | undefined) => {
      const value = values[name];
      if (value === undefined) throw new Error(`Text ${key} in locale ${locale} needs {${name}}`);
      if (one === undefined || many === undefined) return String(value);
      return String(value) === '1' ? one : many;
    });
  };
}

export type Translators = Readonly<Record<Locale, Translate>>;

/** Reads `id.json` and `en.json` once. Nested keys are joined by dots. */
export function loadTranslators(directory: string): Translators {
  const load = (locale: Locale): Translate => {
    const tree: unknown = JSON.parse(readFileSync(join(directory, `${locale}.json`), 'utf8'));
    return translator(locale, flatten(tree, '', new Map()));
  };
  return { id: load('id'), en: load('en') };
}

/** Indonesia's three zones, hours east of UTC; none has summer time. */
const ZONES = { WIB: 7, WITA: 8, WIT: 9 } as const;

export type Zone = keyof typeof ZONES;

export const ZONE_NAMES = Object.keys(ZONES) as readonly Zone[];

// prettier-ignore
const MONTHS: Readonly<Record<Locale, readonly string[]>> = {
  id: ['Januari', 'Februari', 'Maret', 'April', 'Mei', 'Juni', 'Juli', 'Agustus', 'September', 'Oktober', 'November', 'Desember'],
  en: ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'],
};

// prettier-ignore
const WEEKDAYS: Readonly<Record<Locale, readonly string[]>> = {
  id: ['Minggu', 'Senin', 'Selasa', 'Rabu', 'Kamis', 'Jumat', 'Sabtu'],
  en: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
};

const HOUR_MS = 3_600_000;

/** A date whose UTC fields read as the wall clock of the zone. */
const wallClock = (at: Date, zone: Zone): Date => new Date(at.getTime() + ZONES[zone] * HOUR_MS);

/** Times and dates as people of one language write them. Zones are always named by the caller or are WIB. */
export interface Times {
  /** `08.15 WIB` or `08:15 WIB` */
  readonly time: (at: Date, zone?: Zone) => string;
  /** `08.15.42` or `08:15:42`, to hold beside a phone's clock. */
  readonly clock: (at: Date, zone: Zone) => string;
  /** `23 November 2026`, of the day it is in WIB. */
  readonly date: (at: Date) => string;
  /** `Senin, 23 November 2026` */
  readonly day: (at: Date) => string;
  /** For `datetime=`: `2026-11-23T08:15:42+07:00` */
  readonly iso: (at: Date, zone?: Zone) => string;
}

export function timesIn(locale: Locale): Times {
  const written = (digits: string): string => (locale === 'id' ? digits.replaceAll(':', '.') : digits);
  const digits = (at: Date, zone: Zone, until: number): string => wallClock(at, zone).toISOString().slice(11, until);
  const date = (at: Date): string => {
    const day = wallClock(at, 'WIB');
    return `${day.getUTCDate()} ${MONTHS[locale][day.getUTCMonth()] ?? ''} ${day.getUTCFullYear()}`;
  };
  return {
    time: (at, zone = 'WIB') => `${written(digits(at, zone, 16))} ${zone}`,
    clock: (at, zone) => written(digits(at, zone, 19)),
    date,
    day: (at) => `${WEEKDAYS[locale][wallClock(at, 'WIB').getUTCDay()] ?? ''}, ${date(at)}`,
    iso: (at, zone = 'WIB') => `${wallClock(at, zone).toISOString().slice(0, 19)}+0${ZONES[zone]}:00`,
  };
}
