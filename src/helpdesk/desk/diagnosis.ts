/**
 * Why somebody cannot log in. Stable codes: answers of the API, and keys of what the console says.
 */
export const CAUSES = [
  'inactive',
  'disabled',
  'frozen',
  'no_email',
  'not_activated',
  'factors_closed',
  'mail_failed',
  'password_disabled',
  'clock_drift',
  'waiting',
  'mailbox_changed',
  'just_reset',
  'code_reused',
  'code_wrong',
  'mailed_code_wrong',
  'passkey_refused',
  'email_mistyped',
  'captcha_wrong',
  'password_wrong',
  'code_mailed',
  'all_well',
] as const;
export type Cause = (typeof CAUSES)[number];

/** What to tell the person: one sentence or two, by its key. */
export const ADVICE = [
  'ask_personnel',
  'come_in_person',
  'register_email',
  'come_for_slip',
  'activate',
  'enrol_anew',
  'reset_then_enrol',
  'register_authenticator_anew',
  'correct_email',
  'reset_password',
  'set_clock_automatic',
  'wait',
  'prove_mailbox',
  'wait_for_next_code',
  'take_the_right_entry',
  'take_the_latest_mail',
  'use_the_same_device',
  'type_the_registered_email',
  'hear_the_captcha',
  'retype_password',
  'look_in_mailbox',
  'try_again',
] as const;
export type Advice = (typeof ADVICE)[number];

/** One cause that holds now. */
export interface Finding {
  readonly cause: Cause;
  readonly tell: Advice;
  /** Whether a reset of the second factors by the officer is what helps. */
  readonly resetNeeded: boolean;
  /** Of `clock_drift`: minutes the phone is ahead; negative when it is behind. */
  readonly minutes?: number;
  /** Of `waiting`: which of the two, and until when. */
  readonly until?: Date;
  readonly waitsFor?: 'password' | 'code';
  /** Of `just_reset`: when, and by whom; nobody where it was who runs the server. */
  readonly at?: Date;
  readonly officer?: string;
}

export const STEPS = [
  'password',
  'code',
  'recovery_code',
  'passkey',
  'mailed_code',
  'email',
  'new_password',
  'factors',
  'slip',
  'sign_in',
] as const;
/** What was tried. `factors`: their reset by the person; `sign_in`: the whole login. */
export type Step = (typeof STEPS)[number];

export const PASSAGES = ['sign_in', 'reset_password', 'reset_mfa', 'new_device', 'activation'] as const;
/** During what. */
export type Passage = (typeof PASSAGES)[number];

export const OUTCOMES = [
  'accepted',
  'sent',
  'wrong',
  'clock_drift',
  'reused',
  'throttled',
  'exhausted',
  'inactive',
  'frozen',
  'disabled',
  'mail_failed',
  'refused',
] as const;
/** What came of it. `sent`: a code was mailed, as far as is known. */
export type Outcome = (typeof OUTCOMES)[number];

/** One thing the person, or somebody with their NIP, tried. */
export interface Attempt {
  readonly at: Date;
  readonly step: Step;
  readonly during: Passage;
  readonly outcome: Outcome;
  /** Of `clock_drift`, when two codes have told it: minutes ahead; negative when behind. */
  readonly minutes?: number;
  /** Coarse words; empty where they are not known. */
  readonly browser: string;
  readonly system: string;
}

export interface Diagnosis {
  /** The most useful cause to know; `all_well` when nothing stands in the way. */
  readonly main: Finding;
  /** What holds besides. */
  readonly others: readonly Finding[];
  /** The last ten, newest first. */
  readonly attempts: readonly Attempt[];
}
