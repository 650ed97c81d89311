import type { Services } from '#src/container.js';
import { PASSWORD, type Employee } from '../support/employees.js';
import type { Ledger } from './working-day.js';

/** What the database holds about one person, for changes that are made in one transaction each. */
interface Books {
  readonly account: string;
  /** How often the credentials changed, and the events and the password that go with it. */
  readonly epoch: number;
  readonly password_events: number;
  readonly activated: boolean;
  readonly activation_events: number;
  readonly hash: string | null;
  /** Active authenticators, and the events and recovery codes that go with them. */
  readonly devices: number;
  readonly device_events: number;
  readonly codes: number;
}

const BOOKS = `
  SELECT a.id AS account, a.cred_epoch AS epoch, a.activated_at IS NOT NULL AS activated, c.password_hash AS hash,
         (SELECT count(*)::integer FROM audit_events e WHERE e.account_id = a.id AND e.type = 'password.changed')
           AS password_events,
         (SELECT count(*)::integer FROM audit_events e WHERE e.account_id = a.id AND e.type = 'account.activated')
           AS activation_events,
         (SELECT count(*)::integer FROM audit_events e WHERE e.account_id = a.id AND e.type = 'device.enrolled')
           AS device_events,
         (SELECT count(*)::integer FROM devices d WHERE d.account_id = a.id AND d.status = 'active') AS devices,
         (SELECT count(*)::integer FROM recovery_codes r JOIN recovery_code_sets s ON s.id = r.set_id
           WHERE s.account_id = a.id AND s.ended_at IS NULL) AS codes
    FROM accounts a
    LEFT JOIN credentials c ON c.account_id = a.id
   WHERE a.id = ANY ($1::uuid[])`;

/** Everything that is wrong in the books of people who began without a password; best nothing. */
export async function auditBooks(
  { db, passwords }: Pick<Services, 'db' | 'passwords'>,
  { newcomers, ledger }: { newcomers: readonly Employee[]; ledger: Ledger },
): Promise<string[]> {
  const rows = (await db.query(BOOKS, [newcomers.map(({ id }) => id)])) as unknown as Books[];
  const found: string[] = [];
  for (const row of rows) {
    const { account } = row;
    const person = newcomers.find(({ id }) => id === account);
    if (row.epoch !== row.password_events) found.push(`half: ${account} has another epoch than password events`);
    if ((row.hash !== null) !== row.activated) found.push(`half: ${account} has a password and no activation`);
    if (row.activated !== (row.activation_events === 1)) found.push(`half: ${account} was activated without its event`);
    if (row.devices !== row.device_events) found.push(`half: ${account} has an authenticator without its event`);
    if (row.codes !== 10 * row.devices) found.push(`half: ${account} has an authenticator without recovery codes`);
    if (row.devices > 1) found.push(`double: ${account} has two authenticators`);
    if (person === undefined) continue;
    if (ledger.enrolled.has(person) && row.devices !== 1) found.push(`lost: the authenticator of ${account}`);
    if (ledger.passwordChanged.has(person)) {
      const isKept = row.hash !== null && (await passwords.verify(row.hash, PASSWORD)).kind === 'match';
      if (!isKept) found.push(`lost: the password of ${account}`);
    }
  }
  return found;
}
