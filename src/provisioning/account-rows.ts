import { EMPLOYMENTS, STATUSES, type Employment } from '../accounts/account.js';
import { canonicalName } from '../accounts/name.js';
import { checkNip, isNip, type NipFault, type NipForm } from '../accounts/nip.js';
import { storedHashFault } from '../security/stored-hash.js';
import type { Columns, RowProblem, TableRow } from './table.js';

export type AccountColumn =
  | 'nip'
  | 'name'
  | 'email'
  | 'employment'
  | 'agency_code'
  | 'status'
  | 'username'
  | 'person_id'
  | 'previous_nip'
  | 'password_hash';

export const ACCOUNT_COLUMNS: Columns<AccountColumn> = {
  required: ['nip', 'name', 'email', 'employment', 'agency_code', 'status'],
  optional: ['username', 'person_id', 'previous_nip', 'password_hash'],
};

/** A row that is sound in itself. Undefined: the file does not say. */
export interface AccountRow {
  readonly line: number;
  readonly nip: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly employment: string;
  readonly agencyCode: string;
  readonly status: string;
  readonly accountName: string | undefined;
  readonly personId: string | undefined;
  readonly previousNip: string | undefined;
  readonly passwordHash: string | undefined;
}

/** Whom a row speaks of, sound or not. */
export interface Mentioned {
  readonly nip: string | undefined;
  readonly personId: string | undefined;
  readonly previousNip: string | undefined;
}

const NIP_FAULTS: Readonly<Record<NipFault, string>> = {
  length: 'is not 18 digits',
  'birth date': 'begins with no calendar date',
  appointment: 'has no year and month of appointment',
  sex: 'has a 15th digit other than 1 and 2',
  sequence: 'ends in 000',
};

const MAX_NAME_LENGTH = 200;
const MAX_EMAIL_LENGTH = 254;
/** One address and nothing that a mail header could take for a second one. */
const EMAIL = /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+\.[^\s@<>()[\]\\,;:".]+$/;
const PERSON_ID = /^[\x21-\x7e]{1,64}$/;
/** Numbers from before 2008 have 9 digits: kept as history, they never log anyone in. */
const OLD_NIP = /^[0-9]{9}$/;

/** Digits of a NIP however it is grouped, or the cell as it is. */
function ungrouped(cell: string): string {
  if (isNip(cell) || cell === '') return cell;
  const name = canonicalName(cell);
  return name.kind === 'nip' ? name.value : cell;
}

const orUndefined = (cell: string): string | undefined => (cell === '' ? undefined : cell);
const isEmployment = (text: string): text is Employment => (EMPLOYMENTS as readonly string[]).includes(text);
const isStatus = (text: string): boolean => (STATUSES as readonly string[]).includes(text);
/** Only permanent staff are known to have a month of appointment. */
const nipFormOf = (employment: string): NipForm => (employment === 'PNS' || employment === 'CPNS' ? 'PNS' : 'PPPK');

/** The row, or every problem it has. Whether its agency exists and its keys are free is asked later. */
export function readAccountRow(row: TableRow<AccountColumn>): AccountRow | readonly RowProblem[] {
  const employment = row.cell('employment');
  const typedName = row.cell('username');
  const username = typedName === '' ? undefined : canonicalName(typedName);
  const previous = ungrouped(row.cell('previous_nip'));
  const read: AccountRow = {
    line: row.line,
    nip: ungrouped(row.cell('nip')),
    name: row.cell('name').normalize('NFC'),
    email: orUndefined(row.cell('email')),
    employment,
    agencyCode: row.cell('agency_code'),
    status: row.cell('status'),
    accountName: username?.kind === 'account_name' ? username.value : undefined,
    personId: orUndefined(row.cell('person_id')),
    previousNip: previous === '' || previous === ungrouped(row.cell('nip')) ? undefined : previous,
    passwordHash: orUndefined(row.cell('password_hash')),
  };
  const nip = checkNip(read.nip, nipFormOf(employment));
  const faults: readonly [AccountColumn, string | undefined | false][] = [
    ['nip', nip.kind === 'fault' && NIP_FAULTS[nip.fault]],
    ['name', !isName(read.name) && `is not 1 to ${MAX_NAME_LENGTH} characters with a letter`],
    ['email', read.email !== undefined && !isEmail(read.email) && 'is not one e-mail address'],
    ['employment', !isEmployment(employment) && `is none of ${EMPLOYMENTS.join(' ')}`],
    ['agency_code', read.agencyCode === '' && 'is missing'],
    ['status', !isStatus(read.status) && `is neither ${STATUSES.join(' nor ')}`],
    ['username', username !== undefined && username.kind !== 'account_name' && 'is not an account name'],
    ['person_id', read.personId !== undefined && !PERSON_ID.test(read.personId) && 'is not 1 to 64 plain characters'],
    ['previous_nip', read.previousNip !== undefined && !isFormerNip(read.previousNip) && 'is not 18 or 9 digits'],
    ['password_hash', read.passwordHash !== undefined && storedHashFault(read.passwordHash)],
  ];
  const problems = faults.flatMap(([column, reason]) =>
    typeof reason === 'string' ? [{ line: row.line, column, reason }] : [],
  );
  return problems.length === 0 ? read : problems;
}

/** What a row with a problem still says of whose it is. */
export function mentionedBy(row: TableRow<AccountColumn>): Mentioned {
  const [nip, previous, personId] = [row.cell('nip'), row.cell('previous_nip'), row.cell('person_id')];
  const ofForm = (text: string): string | undefined => (isNip(text) ? text : undefined);
  return {
    nip: ofForm(ungrouped(nip)),
    previousNip: ofForm(ungrouped(previous)),
    personId: PERSON_ID.test(personId) ? personId : undefined,
  };
}

const isName = (name: string): boolean => name.length <= MAX_NAME_LENGTH && /\p{L}/u.test(name);
const isEmail = (email: string): boolean => Buffer.byteLength(email) <= MAX_EMAIL_LENGTH && EMAIL.test(email);
const isFormerNip = (nip: string): boolean => isNip(nip) || OLD_NIP.test(nip);
