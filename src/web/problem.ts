import type { RefusalCode } from '../kernel/refusal.js';
import { secondsAfter } from '../kernel/clock.js';
import { wholeHoursOff } from '../kernel/clock-drift.js';
import type { Times, Translate } from './locale.js';
import type { PageError, PageName } from './pages.js';

/** A refusal as people read it: what happened (`title`, no full stop), then the one thing to do (`text`). */
export interface Problem {
  readonly code: RefusalCode;
  /** The field to show it at; none: above the form. */
  readonly field: string | undefined;
  /** Further fields drawn as wrong. */
  readonly marks: readonly string[];
  readonly title: string;
  /** May hold the emphasis marks of `it.rich`. */
  readonly text: string;
  /** What to do, when it takes more than one move. */
  readonly steps: readonly string[];
  /** The `data-` attributes of the page contract. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

export interface ProblemContext {
  readonly page: PageName;
  readonly t: Translate;
  readonly times: Times;
  readonly now: Date;
}

/** The fields of each form. A refusal of any other field is told above the form, never lost. */
const FIELDS: Readonly<Partial<Record<PageName, readonly string[]>>> = {
  'sign-in/password': ['username', 'password'],
  'sign-in/otp': ['otp', 'recovery_code'],
  'sign-in/prove-mailbox': ['code'],
  'account/devices/add-passkey': ['device_name'],
  'sign-in/enrol': ['otp', 'device_name'],
  'sign-in/recovery-codes': ['saved'],
  'sign-in/change-password': ['new_password', 'confirm_password'],
  'account/password': ['password', 'new_password', 'confirm_password'],
  'account/devices/add/app': ['otp', 'device_name'],
  'account/devices/move/app': ['otp', 'device_name'],
  'account/devices/rename': ['device_name'],
  'account/devices/remove': ['device'],
  'account/recovery-codes/new': ['saved'],
  'reset/password/start': ['username', 'captcha'],
  'reset/password/email': ['email'],
  'reset/password/code': ['code', 'new_password', 'confirm_password', 'otp'],
  'reset/weak': ['username', 'password', 'otp', 'new_password', 'confirm_password'],
  'reset/mfa/start': ['username', 'password', 'captcha'],
  'reset/mfa/factor': ['otp', 'lost', 'recovery_code'],
  'reset/mfa/code': ['code'],
  'device/code': ['user_code'],
  'activate/start': ['username', 'slip', 'captcha'],
  'activate/password': ['new_password', 'confirm_password'],
  'account/contact': ['new_email'],
  'account/contact/code': ['code'],
  'contact/code': ['code'],
  'helpdesk/home': ['who', 'agency'],
  'helpdesk/officers/appoint': ['nip', 'role', 'agency', 'reason'],
  'helpdesk/officers/remove': ['reason'],
  'helpdesk/audit': ['nip', 'actor_nip', 'from', 'to'],
  'helpdesk/act': ['reason', 'ticket', 'new_email'],
  'helpdesk/client/edit': ['registration'],
  'helpdesk/client/developer': ['nip'],
  'helpdesk/clients/invitations': ['uses', 'hours', 'note'],
  'helpdesk/mfa-reset/presence': ['presence_code', 'reason', 'ticket'],
};

const FIELD_OF: Readonly<Partial<Record<RefusalCode, string>>> = {
  otp_invalid: 'otp',
  otp_reused: 'otp',
  otp_required: 'otp',
  captcha_wrong: 'captcha',
  code_invalid: 'code',
  password_policy: 'new_password',
  confirmation_mismatch: 'new_password',
};

const MARKS_OF: Readonly<Partial<Record<RefusalCode, readonly string[]>>> = {
  invalid_credentials: ['username', 'password'],
  clock_drift: ['otp'],
  confirmation_mismatch: ['new_password', 'confirm_password'],
};

const LIMIT_OF: Readonly<Partial<Record<PageName, PageError['limit']>>> = {
  'sign-in/password': 'passwords',
  'sign-in/otp': 'codes',
  'sign-in/prove-mailbox': 'mails',
  'sign-in/enrol': 'codes',
  'account/password': 'passwords',
  'account/devices/add/app': 'codes',
  'account/devices/move/app': 'codes',
  'reset/password/email': 'mails',
  'reset/password/code': 'mails',
  'reset/weak': 'passwords',
  'reset/mfa/start': 'passwords',
  'reset/mfa/factor': 'codes',
  'reset/mfa/code': 'mails',
};

interface Words {
  readonly title: string;
  readonly text: string;
  readonly steps?: readonly string[];
}

/** Here the field stands right below the message; elsewhere a link leads to it. */
const FIELD_IN_SIGHT: readonly PageName[] = ['sign-in/otp'];

const SOON_SECONDS = 90;

/** "in 30 seconds", "at 08:45 WIB", and the date when it is another day. */
function moment(seconds: number, { t, times, now }: ProblemContext): string {
  if (seconds < SOON_SECONDS) return t('when.seconds', { seconds });
  // Rounded up to the minute, so that nobody comes back too early.
  const at = new Date(Math.ceil(secondsAfter(now, seconds).getTime() / 60_000) * 60_000);
  const values = { time: times.time(at), date: times.date(at) };
  return t(times.date(at) === times.date(now) ? 'when.time' : 'when.date', values);
}

/** How a phone's clock is put right; its zone too, where that may be it. */
const clockSteps = ({ page, t }: ProblemContext, { zone }: { zone: boolean }): readonly string[] => {
  const last = FIELD_IN_SIGHT.includes(page) ? 'wait' : 'type';
  return ['open', 'automatic', ...(zone ? ['zone'] : []), last].map((step) => t(`error.clock_drift.${step}`));
};

function drift(driftMinutes: number, context: ProblemContext): Words {
  const { t } = context;
  const way = driftMinutes < 0 ? 'slow' : 'fast';
  const hours = wholeHoursOff(driftMinutes);
  const title =
    hours === undefined
      ? t(`error.clock_drift.${way}`, { minutes: Math.max(1, Math.abs(driftMinutes)) })
      : t(`error.clock_drift.hours.${way}`, { hours });
  return { title, text: t('error.clock_drift.text'), steps: clockSteps(context, { zone: hours !== undefined }) };
}

/** Not the first wrong code: of a clock too far off to be told by how much, more often than of a slip of the finger. */
const wrongAgain = (context: ProblemContext): Words => ({
  title: context.t('error.otp_again.title'),
  text: context.t('error.otp_again.text'),
  steps: clockSteps(context, { zone: true }),
});

function policy(error: PageError, { page, t }: ProblemContext): Words {
  const unmet = (error.rules ?? []).filter(({ state }) => state === 'unmet');
  const [only] = unmet;
  if (unmet.length === 1 && only?.rule === 'common' && only.reason && only.reason !== 'too_long') {
    const because = t(`rule.because.${only.reason}`);
    return { title: t('error.password_policy.guessable', { because }), text: t('error.password_policy.another') };
  }
  const text = t(page === 'reset/password/code' ? 'error.password_policy.code_kept' : 'error.password_policy.text');
  return { title: t('error.password_policy.title', { count: Math.max(1, unmet.length) }), text };
}

const unknownPasskey = (page: PageName): string =>
  `error.passkey_unknown.${page === 'sign-in/password' ? 'password' : 'other'}`;

/** The field that is wrong, and what stands in its way where that has words of its own. */
function inputKey({ field, reason }: PageError, page: PageName): string {
  const known = FIELDS[page]?.find((name) => name === field);
  if (known === undefined) return 'form';
  return reason === undefined ? known : `${known}_${reason}`;
}

function words(error: PageError, context: ProblemContext): Words {
  const { page, t } = context;
  const pair = (key: string, values = {}): Words => ({
    title: t(`${key}.title`, values),
    text: t(`${key}.text`, values),
  });
  const when = (): string =>
    error.retryAfterSeconds === undefined ? t('when.later') : moment(error.retryAfterSeconds, context);
  switch (error.code) {
    case 'clock_drift':
      return drift(error.driftMinutes ?? 0, context);
    case 'password_policy':
      return policy(error, context);
    case 'throttled': {
      const limit = error.limit ?? LIMIT_OF[page] ?? 'requests';
      // Too many codes end a sign-in, but not a reset.
      const elsewhere = limit === 'codes' && !page.startsWith('sign-in/');
      // There is no field on these pages for the code in the last mail.
      const before = limit === 'mails' && (page === 'sign-in/password' || page === 'reset/mfa/start');
      const key = elsewhere ? 'codesElsewhere' : before ? 'mailsBefore' : limit;
      return pair(`error.throttled.${key}`, { when: when() });
    }
    case 'busy':
    case 'unavailable':
      return pair(`error.${error.code}`, { when: when() });
    case 'invalid_input':
      if (error.unfit !== undefined) return pair(`error.unfit.${error.unfit}`);
      if (error.isInHand === true) return pair('error.invalid_input.in_hand');
      return pair(`error.invalid_input.${inputKey(error, page)}`);
    case 'otp_invalid':
      if (page === 'reset/password/code' || page === 'reset/weak') return pair('error.either_code');
      if (error.again === true) return wrongAgain(context);
      return pair(error.field === 'recovery_code' ? 'error.recovery_code' : 'error.otp_invalid');
    case 'code_invalid':
      if (error.field === 'user_code') return pair(`error.user_code.${error.userCode ?? 'unknown'}`);
      if (error.field === 'slip') return pair('error.slip_invalid');
      if (error.field === 'presence_code') return pair('error.presence_refused');
      return pair(error.field === 'recovery_code' ? 'error.recovery_code' : 'error.code_invalid');
    case 'otp_required':
      return pair(page === 'reset/password/code' ? 'error.otp_required' : 'error.otp_missing');
    case 'invalid_credentials':
      return pair(page === 'account/password' ? 'error.old_password' : 'error.invalid_credentials');
    case 'passkey_invalid':
      return pair(error.isUnknown === true ? unknownPasskey(page) : 'error.passkey_invalid');
    case 'not_found':
      return pair(
        error.field !== undefined && page.startsWith('helpdesk/')
          ? `error.nobody_found.${page === 'helpdesk/audit' ? 'trail' : error.field === 'agency' ? 'agency' : 'who'}`
          : 'error.not_found',
      );
    case 'forbidden':
      return pair(page.startsWith('helpdesk/') ? 'error.not_for_you' : 'error.forbidden');
    case 'passkey_required':
    case 'otp_reused':
    case 'captcha_wrong':
    case 'confirmation_mismatch':
    case 'flow_expired':
    case 'csrf_mismatch':
    case 'no_access':
    case 'unknown_host':
      return pair(`error.${error.code}`);
  }
}

/** Finds the words, the place and the attributes for a refusal; the same words for every NIP. */
export function describeProblem(error: PageError, context: ProblemContext): Problem {
  const fields = FIELDS[context.page] ?? [];
  const { title, text, steps = [] } = words(error, context);
  return {
    code: error.code,
    // A message of several moves stands above the form, and its field is only marked.
    field: error.again === true ? undefined : fields.find((name) => name === (error.field ?? FIELD_OF[error.code])),
    marks: error.again === true ? ['otp'] : (MARKS_OF[error.code] ?? []),
    title,
    text,
    steps,
    attributes: {
      'data-error': error.code,
      ...(error.field !== undefined && { 'data-field': error.field }),
      ...(error.retryAfterSeconds !== undefined && { 'data-retry-after': error.retryAfterSeconds }),
      ...(error.driftMinutes !== undefined && { 'data-drift-minutes': error.driftMinutes }),
    },
  };
}
