/**
 * The employee number, 18 digits (Perka BKN 22/2007 and 43/2007). PNS: birth date YYYYMMDD, appointment YYYYMM,
 * sex, sequence. PPPK: birth date, year of appointment, a two-digit code that is no month, sex, sequence.
 * A filter on form only: a number that passes proves nothing about a person.
 */
export type Nip = string & { readonly __kind: 'nip' };

export type NipForm = 'PNS' | 'PPPK';

/** The part that is wrong. Says nothing of what stands there: a NIP holds a birth date. */
export type NipFault = 'length' | 'birth date' | 'appointment' | 'sex' | 'sequence';

export type NipVerdict =
  | { readonly kind: 'nip'; readonly nip: Nip; readonly birthDate: BirthDate }
  | { readonly kind: 'fault'; readonly fault: NipFault };

export interface BirthDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const FORM = /^[0-9]{18}$/;

/** True for 18 ASCII digits: all that a login asks. Whether they mean anything is for the import to say. */
export const isNip = (text: string): text is Nip => FORM.test(text);

/**
 * Checks a number that the personnel system sent. PPPK numbers carry any two digits where PNS numbers carry the
 * month of appointment: demanding a month there would lock out two million people.
 */
export function checkNip(text: string, form: NipForm): NipVerdict {
  if (!isNip(text)) return { kind: 'fault', fault: 'length' };
  const birthDate = birthDateOf(text);
  if (!isCalendarDate(birthDate)) return { kind: 'fault', fault: 'birth date' };
  const appointmentYear = Number(text.slice(8, 12));
  const appointmentMonth = Number(text.slice(12, 14));
  if (!isRecentYear(appointmentYear) || (form === 'PNS' && (appointmentMonth < 1 || appointmentMonth > 12))) {
    return { kind: 'fault', fault: 'appointment' };
  }
  if (text[14] !== '1' && text[14] !== '2') return { kind: 'fault', fault: 'sex' };
  if (text.endsWith('000')) return { kind: 'fault', fault: 'sequence' };
  return { kind: 'nip', nip: text, birthDate };
}

export const birthDateOf = (nip: Nip): BirthDate => ({
  year: Number(nip.slice(0, 4)),
  month: Number(nip.slice(4, 6)),
  day: Number(nip.slice(6, 8)),
});

/** As people read it: `19900101 202321 1 001`. */
export const displayNip = (nip: Nip): string =>
  `${nip.slice(0, 8)} ${nip.slice(8, 14)} ${nip.slice(14, 15)} ${nip.slice(15)}`;

/** The last three digits, the most of a NIP that a mail or a page for others may show. */
export const lastThreeOf = (nip: Nip): string => nip.slice(-3);

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeapYear = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const isRecentYear = (year: number): boolean => year >= 1900 && year <= 2099;

function isCalendarDate({ year, month, day }: BirthDate): boolean {
  const days = month === 2 && isLeapYear(year) ? 29 : DAYS[month - 1];
  return days !== undefined && isRecentYear(year) && day >= 1 && day <= days;
}
