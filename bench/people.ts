/** The people who log in: imported with a password, their authenticators enrolled through the pages. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Mailbox } from '../test/support/mailbox.js';
import { attribute } from '../test/support/person.js';
import { totp } from '../test/support/totp.js';
import { Visitor, type Answer } from '../test/support/visitor.js';
import { hashPassword, repeat } from './measure.js';
import { authorization, redeem, type Tokens } from './relying-party.js';
import { command, type Server, type Settings } from './server.js';

/** Meets every rule for everybody. */
export const PASSWORD = 'Kuda Zebra 7 lari-lari';

export interface Person {
  readonly nip: string;
  readonly email: string;
  /** Everybody sits somewhere else: limits by address are not what is measured. */
  readonly address: string;
  /** The key in the authenticator. */
  secret: string;
  /** The last time step used. */
  lastStep: number;
}

const personAt = (index: number): Person => {
  const serial = String(index + 1).padStart(3, '0');
  return {
    nip: `198004${String(1 + (Math.floor(index / 900) % 28)).padStart(2, '0')}2010011${serial}`,
    email: `pegawai.${index}@contoh.example`,
    address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    secret: '',
    lastStep: 0,
  };
};

/** Imports them by the command line, with one imported hash for all. */
export async function importPeople(count: number, { folder, settings }: { folder: string; settings: Settings }) {
  const people = Array.from({ length: count }, (_, index) => personAt(index));
  const hash = await hashPassword(PASSWORD);
  const agencies = join(folder, 'agencies.csv');
  await writeFile(agencies, 'code,name,parent_code\nCONTOH,Pemerintah Kabupaten Contoh,\n');
  const accounts = join(folder, 'accounts.csv');
  const rows = people.map(({ nip, email }) => `${nip},Pegawai Contoh,${email},PNS,CONTOH,active,"${hash}"`);
  await writeFile(accounts, `nip,name,email,employment,agency_code,status,password_hash\n${rows.join('\n')}\n`);
  await command(settings, 'agencies', 'import', agencies);
  await command(settings, 'accounts', 'import', accounts);
  return people;
}

const STEP_MS = 30_000;
/** A code must still be good when it arrives. */
const ON_THE_WAY_MS = 10_000;

const stepNow = (): number => Math.floor(Date.now() / STEP_MS);

/**
 * The next code of a person's authenticator that was not used yet. One step either side of the current one is
 * accepted, so that a person can log in three times at once before waiting for the clock.
 */
function freshOtp(person: Person): string {
  const oldest = Math.floor((Date.now() + ON_THE_WAY_MS) / STEP_MS) - 1;
  person.lastStep = Math.max(person.lastStep + 1, oldest);
  return totp(person.secret, new Date(person.lastStep * STEP_MS));
}

/** Waits until everybody's authenticator shows a code that was not used yet. */
export async function waitForCodes(people: readonly Person[]): Promise<void> {
  while (people.some(({ lastStep }) => lastStep > stepNow())) await pause(200);
}

const visitorOf = (person: Person, { issuer, port }: Server): Visitor =>
  new Visitor({ issuer, ports: [port], address: person.address });

const expectPage = (answer: Answer, page: string): Answer => {
  if (answer.page === page) return answer;
  throw new Error(`${page} expected, got ${String(answer.page)} ${answer.errors.join()} (${answer.status})`);
};

/** The first login of a person: mailbox, authenticator, recovery codes. */
async function enrol(person: Person, server: Server, mailbox: Mailbox): Promise<void> {
  const visitor = visitorOf(person, server);
  const { path, verifier } = authorization('first');
  const asked = new Date();
  const password = expectPage(await visitor.follow(path), 'sign-in/password');
  const proof = await visitor.submit(password, '/password', { username: person.nip, password: PASSWORD });
  expectPage(proof, 'sign-in/prove-mailbox');
  const { text } = await mailbox.next(person.email, asked);
  const code = /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/.exec(text)?.[0] ?? '';
  const enrolment = expectPage(await visitor.submit(proof, '/mailbox', { code }), 'sign-in/enrol');
  person.secret = attribute(enrolment.body, 'data-secret') ?? '';
  const otp = freshOtp(person);
  const codes = await visitor.submit(enrolment, '/enrol', { otp, device_name: 'Ponsel' });
  const done = await visitor.submit(expectPage(codes, 'sign-in/recovery-codes'), '/recovery-codes', { saved: '1' });
  await redeem(visitor, { answer: done, verifier, client: 'first' });
  visitor.close();
}

export async function enrolPeople(people: readonly Person[], server: Server, mailbox: Mailbox): Promise<void> {
  await repeat(people.length, 4, async (index) => {
    const person = people[index];
    if (person !== undefined) await enrol(person, server, mailbox);
  });
}

/** Logs in with everything a person has: the full ceremony, in a browser that was never seen before. */
export async function logIn(person: Person, server: Server): Promise<{ visitor: Visitor; tokens: Tokens }> {
  const otp = freshOtp(person);
  const visitor = visitorOf(person, server);
  const { path, verifier } = authorization('first');
  const password = expectPage(await visitor.follow(path), 'sign-in/password');
  const second = await visitor.submit(password, '/password', { username: person.nip, password: PASSWORD });
  const answer = await visitor.submit(expectPage(second, 'sign-in/otp'), '/otp', { otp });
  return { visitor, tokens: await redeem(visitor, { answer, verifier, client: 'first' }) };
}
