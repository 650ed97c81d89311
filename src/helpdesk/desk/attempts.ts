import type { AuditDetails, AuditType } from '../../audit/events.js';
import type { TrailEvent } from '../../audit/trail.js';
import type { Attempt, Outcome, Passage, Step } from './diagnosis.js';

type Told = Pick<Attempt, 'step' | 'during' | 'outcome' | 'minutes'>;
type Tell<Type extends AuditType> = (detail: AuditDetails[Type]) => Told | undefined;

const attempt = (during: Passage, step: Step, outcome: Outcome) => (): Told => ({ during, step, outcome });

/** By its cause; nothing for a cause that this version of the program does not know. */
const byCause =
  <Cause extends string>(during: Passage, step: Step, outcomes: Readonly<Record<Cause, Outcome>>) =>
  ({ cause }: { readonly cause: Cause }): Told | undefined =>
    Object.hasOwn(outcomes, cause) ? { during, step, outcome: outcomes[cause] } : undefined;

const CODE = { mismatch: 'wrong', reused: 'reused', drift: 'clock_drift', throttled: 'throttled' } as const;
const MAILED = { wrong: 'wrong', exhausted: 'exhausted' } as const;

/** With how far the phone's clock was off, where two codes have told it. */
const codeOf =
  (during: Passage) =>
  (detail: AuditDetails['sign_in.otp_refused' | 'device.code_refused']): Told | undefined => {
    const { cause, drift_minutes: minutes } = detail;
    if (!Object.hasOwn(CODE, cause)) return undefined;
    const told = { during, step: 'code', outcome: CODE[cause] } as const;
    return cause === 'drift' && typeof minutes === 'number' ? { ...told, minutes } : told;
  };

/** During a reset a second factor is a code of an app or one that was printed. */
const factorOf =
  (during: Passage) =>
  ({ cause }: AuditDetails['reset.otp_refused'] | AuditDetails['self_reset.factor_refused']): Told | undefined => {
    if (cause === 'recovery_code') return { during, step: 'recovery_code', outcome: 'wrong' };
    if (cause === 'in_hand') return { during, step: 'code', outcome: 'refused' };
    return Object.hasOwn(CODE, cause) ? { during, step: 'code', outcome: CODE[cause] } : undefined;
  };

/** The kinds of events that are attempts to get in, and what each was. */
const ATTEMPTS: { readonly [Type in AuditType]?: Tell<Type> } = {
  'sign_in.password_accepted': attempt('sign_in', 'password', 'accepted'),
  'sign_in.password_refused': byCause('sign_in', 'password', {
    unknown: 'wrong',
    mismatch: 'wrong',
    inactive: 'inactive',
    frozen: 'frozen',
    disabled: 'disabled',
  }),
  'sign_in.password_disabled': attempt('sign_in', 'password', 'disabled'),
  'sign_in.throttled': ({ limit }) => ({
    during: 'sign_in',
    step: limit === 'otp' ? 'code' : 'password',
    outcome: 'throttled',
  }),
  'sign_in.otp_accepted': attempt('sign_in', 'code', 'accepted'),
  'sign_in.otp_refused': codeOf('sign_in'),
  'sign_in.recovery_code_accepted': attempt('sign_in', 'recovery_code', 'accepted'),
  'sign_in.recovery_code_refused': attempt('sign_in', 'recovery_code', 'wrong'),
  'sign_in.passkey_accepted': attempt('sign_in', 'passkey', 'accepted'),
  'sign_in.passkey_refused': attempt('sign_in', 'passkey', 'refused'),
  'sign_in.mailbox_code_sent': attempt('sign_in', 'mailed_code', 'sent'),
  'sign_in.mailbox_proved': attempt('sign_in', 'mailed_code', 'accepted'),
  'sign_in.mailbox_refused': byCause('sign_in', 'mailed_code', MAILED),
  'sign_in.completed': attempt('sign_in', 'sign_in', 'accepted'),
  'device.enrolled': attempt('new_device', 'code', 'accepted'),
  'device.refused': attempt('new_device', 'passkey', 'refused'),
  'device.code_refused': codeOf('new_device'),
  'device.closed': attempt('sign_in', 'code', 'disabled'),
  'reset.email_refused': attempt('reset_password', 'email', 'wrong'),
  'reset.barred': byCause('reset_password', 'email', { frozen: 'frozen', inactive: 'inactive' }),
  'reset.code_sent': attempt('reset_password', 'mailed_code', 'sent'),
  'reset.code_refused': byCause('reset_password', 'mailed_code', MAILED),
  'reset.otp_refused': factorOf('reset_password'),
  'reset.recovery_code_accepted': attempt('reset_password', 'recovery_code', 'accepted'),
  'password.changed': ({ by }) => ({
    during: by === 'activation' ? 'activation' : 'reset_password',
    step: 'new_password',
    outcome: 'accepted',
  }),
  'slip.accepted': attempt('activation', 'slip', 'accepted'),
  'slip.refused': attempt('activation', 'slip', 'wrong'),
  'self_reset.factor_refused': factorOf('reset_mfa'),
  'self_reset.code_sent': attempt('reset_mfa', 'mailed_code', 'sent'),
  'self_reset.code_refused': byCause('reset_mfa', 'mailed_code', MAILED),
  'self_reset.done': attempt('reset_mfa', 'factors', 'accepted'),
};

/** What to read of the trail. */
export const ATTEMPT_TYPES = Object.keys(ATTEMPTS) as AuditType[];

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An event as an attempt; undefined when it is none. */
export function attemptOf({ type, detail, at }: TrailEvent): Attempt | undefined {
  const tell = Object.hasOwn(ATTEMPTS, type)
    ? (ATTEMPTS[type as AuditType] as (detail: unknown) => Told | undefined)
    : undefined;
  const told = tell?.(detail);
  return told && { ...told, at, browser: text(detail.browser), system: text(detail.system) };
}
