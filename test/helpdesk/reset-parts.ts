import { randomBytes, randomUUID } from 'node:crypto';
import { createActivationSlips } from '#src/accounts/activation-slips.js';
import { createClosing } from '#src/accounts/closing.js';
import { createDisavowals } from '#src/accounts/disavowals.js';
import { createFreezing, type EndUnderWay } from '#src/accounts/freezing.js';
import { createAudit } from '#src/audit/audit.js';
import { createMailedCodes } from '#src/codes/mailed-codes.js';
import { createDevices } from '#src/devices/devices.js';
import { createEnrolmentTickets } from '#src/devices/enrolment-tickets.js';
import type { ActAnswer } from '#src/helpdesk/acts/act.js';
import { createActs } from '#src/helpdesk/acts/acts.js';
import { createAlarms } from '#src/helpdesk/acts/alarms.js';
import { createFactorReset } from '#src/helpdesk/factor-reset.js';
import { createTwoOfficers } from '#src/helpdesk/two-officers.js';
import { createOperatorsReset } from '#src/helpdesk/operators-reset.js';
import { createRefusals } from '#src/helpdesk/refusals.js';
import { secondsAfter } from '#src/kernel/clock.js';
import { attemptId, type AccountId } from '#src/kernel/ids.js';
import { createGuesses } from '#src/mfa/guesses.js';
import { createPresence } from '#src/mfa/presence.js';
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
    box,
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
  const presence = createPresence(parts);
  const raised: string[] = [];
  const alarms = createAlarms({ ...parts, onAlarm: (kind) => raised.push(kind) });
  const disavowals = createDisavowals({ box, clock, origin: 'http://sso.contoh.test' });
  const slips = createActivationSlips(parts);
  const underWay: EndUnderWay[] = [];
  const twoOfficers = createTwoOfficers(parts);
  const acts = createActs({
    ...parts,
    factorReset: createFactorReset(parts),
    freezing: createFreezing({ ...parts, disavowals, underWay: [] }),
    closing: createClosing({ endSessions, underWay: [], clock }),
    contactOrders: {
      judge: () => 'fits',
      orderByOfficer: () => Promise.reject(new Error('addresses are ordered in test/account/contact')),
    },
    slips,
    underWay,
    presence,
    alarms,
  });

  /** The code that a person sees who has typed the right password. */
  async function present(accountId: AccountId): Promise<string> {
    const uid = attemptId(randomUUID());
    const credEpoch = await epochOf(db, accountId);
    await db.query(
      `INSERT INTO sign_in_attempts (uid, interaction, prompt, return_to, expires_at, account_id, cred_epoch, browser,
                                     password_at)
       VALUES ($1, '{}', 'login', '/', $2, $3, $4, '', $5)`,
      [uid, secondsAfter(clock.at, 3600), accountId, credEpoch, clock.at],
    );
    await db.transaction((tx) => presence.issue(tx, { uid, accountId, credEpoch }, VISITOR));
    const view = await presence.view(db, { uid, accountId });
    if (view.kind !== 'live') throw new Error(`no presence code is shown: ${view.kind}`);
    return view.code;
  }

  /** A reset with the code of the person, who is there. */
  const reset = async (officer: AccountId, accountId: AccountId, more: Partial<Asked> = {}): Promise<ActAnswer> =>
    acts.perform(order(officer, accountId, await present(accountId), more));

  return {
    ...parts,
    acts,
    alarms,
    slips,
    underWay,
    twoOfficers,
    raised,
    operatorsReset: createOperatorsReset(parts),
    present,
    reset,
    mails,
  };
}

export type ResetParts = ReturnType<typeof resetParts>;

const VISITOR = {
  browserId: 'b',
  address: '192.0.2.7',
  knownBrowser: undefined,
  agent: { browser: 'Chrome', system: 'Android' },
  locale: 'id',
  requestId: 'request-0',
} as const;

interface Asked {
  readonly reason: string;
  readonly ticket: string;
  readonly clientId: string;
  readonly idempotencyKey: string;
}

/** A call for a reset with the code that the officer was shown; without one, a document was shown. */
export const order = (
  officer: AccountId,
  accountId: string,
  code?: string,
  { clientId = CLIENT, idempotencyKey, ...more }: Partial<Asked> = {},
) => ({
  caller: { accountId: officer, clientId },
  accountId,
  order: {
    action: 'mfa_reset' as const,
    reason: 'Ponsel hilang, identitas diperiksa di loket',
    ticket: 'HD-2026-0117',
    verification: code === undefined ? { method: 'photo_id' as const } : { method: 'presence' as const, code },
    ...more,
  },
  repeatable: {
    caller: `${clientId} ${officer}`,
    key: idempotencyKey,
    request: JSON.stringify([accountId, code, more]),
  },
  trace: { requestId: 'request-1' },
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
