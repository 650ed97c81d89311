import type { Account } from './account.js';
import { birthDateOf } from './nip.js';

/** Whom a password belongs to; an {@link Account} will do. */
export type PasswordOwner = Pick<Account, 'nip' | 'accountName' | 'name' | 'email'> & {
  readonly agency: { readonly name: string };
};

/** What a password may not be made of, because whoever knows the person or the service tries it first. */
export type PersonalKind = 'nip' | 'birth_date' | 'name' | 'email' | 'agency' | 'service';

const SERVICE = `asn bkn bkd bkpsdm siasn myasn sscasn sscn sso ssoasn dms asndigital lemaridigital
  pns cpns pppk p3k nip korpri simpeg kepegawaian badankepegawaiannegara`.split(/\s+/);

const SHORTEST = 3;

export type WordKind = Exclude<PersonalKind, 'nip' | 'birth_date'>;

/** The words of one person by kind, lower case and without marks. */
export function personalWords(owner: PasswordOwner): Readonly<Record<WordKind, ReadonlySet<string>>> {
  const [local = '', domain = ''] = (owner.email ?? '').split('@');
  return {
    name: new Set(wordsOf(owner.name)),
    email: new Set([local, owner.accountName ?? '', domain.split('.')[0] ?? ''].flatMap(wordsOf)),
    agency: new Set(wordsOf(owner.agency.name)),
    service: new Set(SERVICE),
  };
}

/** Each word of a text, all of them together, and their initials. */
function wordsOf(text: string): readonly string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const words = plain.split(/[^\p{L}]+/u).filter((word) => word !== '');
  const initials = words.map((word) => word.charAt(0)).join('');
  const whole = plain.replace(/[^\p{L}\p{Nd}]+/gu, '');
  return [...words, words.join(''), initials, whole].filter((word) => word.length >= SHORTEST);
}

const SHORTEST_NIP_PART = 8;

/** Whether the digits of a password hold the owner's NIP, eight digits of it in a row, or the birth date. */
export function personalDigits(password: string, owner: PasswordOwner): 'nip' | 'birth_date' | undefined {
  // 17-08-1945 is as good a guess as 17081945.
  const digits = password.replace(/(?<=[0-9])[-/., ](?=[0-9])/g, '');
  if (birthDates(owner).some((date) => digits.includes(date))) return 'birth_date';
  for (let at = 0; at + SHORTEST_NIP_PART <= owner.nip.length; at += 1) {
    if (digits.includes(owner.nip.slice(at, at + SHORTEST_NIP_PART))) return 'nip';
  }
  return undefined;
}

/** In the orders people write them, with four and with two digits of the year. */
function birthDates({ nip }: PasswordOwner): readonly string[] {
  const { year, month, day } = birthDateOf(nip);
  const [mm, dd] = [two(month), two(day)];
  return [String(year), two(year % 100)].flatMap((yy) => [yy + mm + dd, yy + dd + mm, dd + mm + yy, mm + dd + yy]);
}

const two = (value: number): string => String(value).padStart(2, '0');
