import { randomBytes } from 'node:crypto';
import { createAudit } from '#src/audit/audit.js';
import { grantRole } from '#src/accounts/roles.js';
import type { Role } from '#src/accounts/role.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import { createFeedEffects, type FeedEffectParts } from '#src/provisioning/feed-effects.js';
import type { FeedOutcome, FeedReport } from '#src/provisioning/feed-report.js';
import { openImportFile } from '#src/provisioning/import-file.js';
import {
  createPersonnelFeed,
  type FeedOrder,
  type PersonnelFeed,
  type PersonnelFeedParts,
} from '#src/provisioning/personnel-feed.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { NOW } from '../accounts/people.js';
import { accountMailWith } from '../support/account-mail.js';
import { endSessions } from '../support/end-sessions.js';
import { forgetHolderWith } from '../support/forget-holder.js';
import type { openTestDatabase } from '../support/test-database.js';
import type { Files } from './files.js';

export const COLUMNS = ['nip', 'name', 'email', 'employment', 'agency_code', 'status'];
export const nip = (sequence: number): string =>
  `${1970 + Math.floor(sequence / 999)}09262015051${String(1 + (sequence % 999)).padStart(3, '0')}`;

export type FeedRow = Readonly<Record<string, string>>;
const DEFAULTS: FeedRow = {
  name: 'Nama',
  email: 'a@contoh.example',
  employment: 'PNS',
  agency_code: 'REGENCY',
  status: 'active',
};

/** Rows as a file; columns beyond the required ones are there when a row has them. */
export function csvOf(rows: readonly FeedRow[]): string {
  const columns = [...new Set([...COLUMNS, ...rows.flatMap((row) => Object.keys(row))])];
  const lines = rows.map((row) => columns.map((column) => row[column] ?? DEFAULTS[column] ?? '').join(','));
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}

const clock = { now: () => NOW };
const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
export const feedAudit = createAudit(clock);

type TestDatabase = Awaited<ReturnType<typeof openTestDatabase>>;

/** The feed over a database, with everything that follows from it but what other parts have under way. */
export function feedOver(
  db: TestDatabase,
  more: Partial<PersonnelFeedParts> & Partial<Pick<FeedEffectParts, 'underWay'>> = {},
): PersonnelFeed {
  const { underWay = [], ...parts } = more;
  const effects = createFeedEffects({
    ...{ endSessions, underWay, audit: feedAudit, clock },
    forgetHolder: forgetHolderWith({ box, clock }),
    accountMail: accountMailWith({ box, clock }),
  });
  return createPersonnelFeed({
    ...{ db, databaseUrl: db.url, effects, audit: feedAudit, clock },
    limit: { percent: 1, atLeast: 20 },
    verify: undefined,
    ...parts,
  });
}

export interface Taken {
  readonly id: string;
  readonly outcome: FlatOutcome;
}

export type FlatOutcome = ({ readonly kind: 'done' } & FeedReport) | Exclude<FeedOutcome, { readonly kind: 'done' }>;

/** With the counts of the report beside its kind. */
export const flat = (outcome: FeedOutcome): FlatOutcome =>
  outcome.kind === 'done' ? { kind: 'done', ...outcome.report } : outcome;

/** Gives a feed rows, or a file as it is. */
export async function take(
  feed: PersonnelFeed,
  files: Files,
  rows: readonly FeedRow[] | string,
  more: Partial<FeedOrder> = {},
): Promise<Taken> {
  const path = files.write('feed.csv', typeof rows === 'string' ? rows : csvOf(rows));
  const prepared = await feed.prepare({
    open: () => openImportFile(path),
    errorsPath: files.path('errors.csv'),
    mode: 'delta',
    dryRun: false,
    source: { kind: 'command' },
    ...more,
  });
  return { id: prepared.id, outcome: flat(await prepared.run()) };
}

export async function grant(db: TestDatabase, holder: AccountId, role: Role, agency?: string): Promise<void> {
  const code = agency === undefined ? {} : { agencyCode: agencyCode(agency) };
  await grantRole(db, { accountId: holder, role, now: NOW, ...code });
}
