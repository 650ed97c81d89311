import { randomBytes } from 'node:crypto';
import { createAudit } from '#src/audit/audit.js';
import { createMailedCodes } from '#src/codes/mailed-codes.js';
import { createDevices } from '#src/devices/devices.js';
import { createEnrolmentTickets } from '#src/devices/enrolment-tickets.js';
import { createMfaReset, type OfficersOrder } from '#src/helpdesk/mfa-reset.js';
import { createRefusals } from '#src/helpdesk/refusals.js';
import type { AccountId } from '#src/kernel/ids.js';
import { createGuesses } from '#src/mfa/guesses.js';
import { sealContext } from '#src/outbox/outbox.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { accountMailWith } from '../support/account-mail.js';
import { endSessions } from '../support/end-sessions.js';
import { quietLog } from '../support/quiet-log.js';
import { now } from './people.js';

const CLIENT = 'console';

/** The use-case with all its real parts, on a clock that tests set. */
export function resetParts(db: Database) {
  const clock = { at: now, now: () => clock.at };
  const keyed = createKeyedDigest(randomBytes(32));
  const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
  const log = quietLog();
  const audit = createAudit(clock);
  const parts = {
    db,
    devices: createDevices(clock),
    tickets: createEnrolmentTickets({ keyed, clock }),
    codes: createMailedCodes({ keyed }),
    guesses: createGuesses({ keyed, clock }),
    endSessions,
    accountMail: accountMailWith({ box, clock }),
    audit,
    refusals: createRefusals(audit),
    keyed,
    clock,
    log,
  };

  /** Every mail that waits, as it will be sent. */
  async function mails(): Promise<readonly { to: { address: string }; mail: string; text: string }[]> {
    const rows = await db.query('SELECT id, payload FROM outbox ORDER BY created_at');
    return rows.map(({ id, payload }) => {
      const opened = box.open(payload as string, sealContext(id as string)).toString();
      return JSON.parse(opened) as { to: { address: string }; mail: string; text: string };
    });
  }
  return { ...parts, mfaReset: createMfaReset(parts), mails };
}

export type ResetParts = ReturnType<typeof resetParts>;

export const order = (officer: AccountId, accountId: string, more: Partial<OfficersOrder> = {}): OfficersOrder => ({
  officer: { accountId: officer, clientId: CLIENT },
  accountId,
  reason: 'Ponsel hilang, identitas diperiksa di loket',
  ticket: 'HD-2026-0117',
  method: 'photo_id',
  idempotencyKey: undefined,
  requestId: 'request-1',
  ...more,
});

/** The audit rows, newest last. */
export const auditOf = (db: Database, type: string) =>
  db.query(
    `SELECT account_id, actor_id, agency_code, client_id, request_id, detail FROM audit_events
      WHERE type = $1 ORDER BY id`,
    [type],
  );

export const epochOf = async (db: Database, id: AccountId): Promise<number> => {
  const [row] = await db.query('SELECT cred_epoch FROM accounts WHERE id = $1', [id]);
  return row?.cred_epoch as number;
};

/** Until so many other connections to this database wait for a lock. */
export async function waiting(db: Database, connections = 1): Promise<void> {
  for (;;) {
    const [row] = await db.query(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if ((row?.waiting as number) >= connections) return;
  }
}
