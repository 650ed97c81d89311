import { accountId, attemptId, type AccountId, type AttemptId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import { waitOf } from '../throttle/failures.js';
import { OTP_FAILURES } from '../throttle/policies.js';
import { browserDigest } from './browser-digest.js';
import { personOf, type Answered, type Attempt, type BoundDevice, type FactorMethod } from './attempt.js';

// What comes next hangs on whether the person has an authenticator: read with the attempt, in the same statement.
// A session that has ended is nobody's: a step-up page left open must not outlive a logout or a new password.
const SESSION_PERSON = `(
    SELECT s.account_id FROM sso_sessions s
     WHERE s.uid = sign_in_attempts.interaction #>> '{session,uid}' AND s.account_id = session_account_id)`;

const PERSON = `coalesce(sign_in_attempts.account_id, ${SESSION_PERSON})`;

const COLUMNS = `uid, client_id, reasons, ${SESSION_PERSON} AS session_account_id, account_id, cred_epoch, password_at, password_weak,
  passkey_at, mailbox_at, mailbox_flow, factor_at, factor_method, pending_codes, answered_digest, answered_at, answer, finished_at,
  interaction #> '{session,amr}' AS session_amr, interaction ? 'deviceCode' AS is_for_device,
  (SELECT a.name FROM accounts a WHERE a.id = ${SESSION_PERSON}) AS session_name,
  ARRAY(
    SELECT json_build_object('name', d.name, 'kind', d.kind, 'isClosed', d.closed_at IS NOT NULL) FROM devices d
     WHERE d.account_id = ${PERSON} AND d.status = 'active'
     ORDER BY d.last_used_at DESC NULLS LAST, d.activated_at
  ) AS devices,
  (
    SELECT w.due_at FROM waiting_resets w
     WHERE w.account_id = ${PERSON} AND w.state = 'waiting'
  ) AS waiting_reset_due_at,
  EXISTS (
    SELECT FROM recovery_code_sets s JOIN recovery_codes c ON c.set_id = s.id
     WHERE s.account_id = ${PERSON} AND s.ended_at IS NULL AND c.spent_at IS NULL
  ) AS has_recovery_codes,
  ${waitOf(OTP_FAILURES, 'sign_in_attempts.guesses_key')} AS codes_wait_until`;

const orUndefined = <T>(value: T | null): T | undefined => value ?? undefined;

function answeredOf(row: Row): Answered | undefined {
  const digest = orUndefined(row.answered_digest as Buffer | null);
  return digest === undefined ? undefined : { digest, at: row.answered_at as Date, answer: row.answer as string };
}

function fromRow(row: Row): Attempt {
  const account = orUndefined(row.account_id as string | null);
  const sessionAccount = orUndefined(row.session_account_id as string | null);
  const people = {
    reasons: row.reasons as string[],
    sessionAccountId: sessionAccount === undefined ? undefined : accountId(sessionAccount),
    accountId: account === undefined ? undefined : accountId(account),
  };
  return {
    ...people,
    uid: attemptId(row.uid as string),
    clientId: (row.client_id as string | null) ?? '',
    isForDevice: row.is_for_device as boolean,
    credEpoch: orUndefined(row.cred_epoch as number | null),
    passwordAt: orUndefined(row.password_at as Date | null),
    passwordWeak: row.password_weak as boolean,
    mailboxAt: orUndefined(row.mailbox_at as Date | null),
    mailboxFlow: orUndefined(row.mailbox_flow as string | null),
    factorAt: orUndefined(row.factor_at as Date | null),
    factorMethod: orUndefined(row.factor_method as FactorMethod | null),
    pendingCodes: orUndefined(row.pending_codes as string | null),
    passkeyAt: orUndefined(row.passkey_at as Date | null),
    sessionName: orUndefined(row.session_name as string | null),
    sessionAmr: (row.session_amr as string[] | null) ?? [],
    devices: personOf(people) === undefined ? [] : (row.devices as BoundDevice[]),
    waitingResetDueAt:
      personOf(people) === undefined ? undefined : orUndefined(row.waiting_reset_due_at as Date | null),
    hasRecoveryCodes: row.has_recovery_codes as boolean,
    codesWaitUntil: account === undefined ? undefined : orUndefined(row.codes_wait_until as Date | null),
    answered: answeredOf(row),
    finishedAt: orUndefined(row.finished_at as Date | null),
  };
}

/** An attempt as its own browser may see it. */
export interface AttemptHolder {
  readonly uid: AttemptId;
  readonly browserId: string;
  readonly now: Date;
}

export async function find(db: Queryable, { uid, browserId, now }: AttemptHolder): Promise<Attempt | undefined> {
  const [row] = await db.query(
    `SELECT ${COLUMNS} FROM sign_in_attempts WHERE uid = $1 AND expires_at > $2 AND browser = $3`,
    [uid, now, browserDigest(browserId)],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** Reads it and holds it until the transaction ends: two posts of one attempt are taken one after the other. */
export async function lock(tx: Queryable, { uid, browserId, now }: AttemptHolder): Promise<Attempt | undefined> {
  const [row] = await tx.query(
    `SELECT ${COLUMNS} FROM sign_in_attempts
      WHERE uid = $1 AND expires_at > $2 AND browser = $3 AND finished_at IS NULL FOR UPDATE`,
    [uid, now, browserDigest(browserId)],
  );
  return row === undefined ? undefined : fromRow(row);
}

/**
 * A right password begins the evidence anew: nothing proved for another person or earlier stays. Answers the attempt
 * as it is now; undefined when it is finished or gone, or the credentials have changed since the password was checked:
 * what a double tap's other half has recorded stays.
 */
export async function recordPassword(
  tx: Queryable,
  proof: { uid: AttemptId; accountId: AccountId; credEpoch: number; weak: boolean; guessesKey: Buffer; now: Date },
): Promise<Attempt | undefined> {
  const [row] = await tx.query(
    `UPDATE sign_in_attempts
        SET account_id = $2, cred_epoch = $3, password_weak = $4, password_at = $5, passkey_at = NULL, mailbox_at = NULL,
            factor_at = NULL, factor_method = NULL, pending_codes = NULL, answered_digest = NULL, guesses_key = $6
      WHERE uid = $1 AND finished_at IS NULL
        AND EXISTS (SELECT FROM accounts a WHERE a.id = $2 AND a.cred_epoch = $3)
      RETURNING ${COLUMNS}`,
    [proof.uid, proof.accountId, proof.credEpoch, proof.weak, proof.now, proof.guessesKey],
  );
  return row === undefined ? undefined : fromRow(row);
}

/**
 * A passkey in place of both factors begins the evidence anew: a password proved here before, by whomever, counts no
 * more. Answers the attempt as it is now. The caller holds it.
 */
export async function recordPasskey(tx: Queryable, proof: FactorProof): Promise<Attempt> {
  const { answered } = proof;
  const [row] = await tx.query(
    `UPDATE sign_in_attempts
        SET account_id = $2, cred_epoch = $3, passkey_at = $4, factor_at = $4, factor_method = $5,
            password_at = NULL, password_weak = false, mailbox_at = NULL, pending_codes = NULL,
            answered_digest = $6, answered_at = $7, answer = $8
      WHERE uid = $1
      RETURNING ${COLUMNS}`,
    [
      proof.uid,
      proof.accountId,
      proof.credEpoch,
      proof.now,
      proof.method,
      answered?.digest,
      answered?.at,
      answered?.answer,
    ],
  );
  if (row === undefined) throw new Error('the attempt is not held');
  return fromRow(row);
}

export async function forgetPassword(tx: Queryable, uid: AttemptId): Promise<void> {
  await tx.query('UPDATE sign_in_attempts SET password_at = NULL, account_id = NULL WHERE uid = $1', [uid]);
}

export async function recordMailbox(tx: Queryable, uid: AttemptId, now: Date): Promise<void> {
  await tx.query('UPDATE sign_in_attempts SET mailbox_at = $2 WHERE uid = $1', [uid, now]);
}

/** What its mailed code belongs to from now on. */
export async function recordMailboxFlow(tx: Queryable, uid: AttemptId, flow: string): Promise<void> {
  await tx.query('UPDATE sign_in_attempts SET mailbox_flow = $2 WHERE uid = $1', [uid, flow]);
}

/** What codes mailed to this person belong to, of the attempts that this browser made last. */
export async function mailboxFlowsOf(
  db: Queryable,
  { accountId, browserId, now }: { accountId: AccountId; browserId: string; now: Date },
): Promise<string[]> {
  const rows = await db.query(
    `SELECT mailbox_flow FROM sign_in_attempts
      WHERE account_id = $1 AND browser = $2 AND expires_at > $3 AND mailbox_flow IS NOT NULL
      ORDER BY password_at DESC LIMIT 5`,
    [accountId, browserDigest(browserId), now],
  );
  return rows.map((row) => row.mailbox_flow as string);
}

export interface FactorProof {
  readonly uid: AttemptId;
  readonly accountId: AccountId;
  readonly credEpoch: number;
  readonly method: FactorMethod;
  readonly now: Date;
  /** Of the code that proved it. */
  readonly answered?: Answered;
}

/** Answers the attempt as it is now. The caller holds it. */
export async function recordFactor(tx: Queryable, proof: FactorProof): Promise<Attempt> {
  const { answered } = proof;
  const [row] = await tx.query(
    `UPDATE sign_in_attempts
        SET factor_at = $2, factor_method = $3, account_id = $4, cred_epoch = $5,
            answered_digest = coalesce($6, answered_digest), answered_at = coalesce($7, answered_at),
            answer = coalesce($8, answer)
      WHERE uid = $1
      RETURNING ${COLUMNS}`,
    [
      proof.uid,
      proof.now,
      proof.method,
      proof.accountId,
      proof.credEpoch,
      answered?.digest,
      answered?.at,
      answered?.answer,
    ],
  );
  if (row === undefined) throw new Error('the attempt is not held');
  return fromRow(row);
}

export async function recordAnswer(tx: Queryable, uid: AttemptId, answered: Answered): Promise<void> {
  await tx.query('UPDATE sign_in_attempts SET answered_digest = $2, answered_at = $3, answer = $4 WHERE uid = $1', [
    uid,
    answered.digest,
    answered.at,
    answered.answer,
  ]);
}

export async function keepCodes(tx: Queryable, uid: AttemptId, sealed: string): Promise<void> {
  await tx.query('UPDATE sign_in_attempts SET pending_codes = $2 WHERE uid = $1', [uid, sealed]);
}

export async function dropCodes(tx: Queryable, uid: AttemptId): Promise<void> {
  await tx.query('UPDATE sign_in_attempts SET pending_codes = NULL WHERE uid = $1', [uid]);
}

export async function recordPasswordChange(tx: Queryable, uid: AttemptId, credEpoch: number): Promise<void> {
  await tx.query('UPDATE sign_in_attempts SET password_weak = false, cred_epoch = $2 WHERE uid = $1', [uid, credEpoch]);
}
