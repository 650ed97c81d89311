import { secondsUntil, type Clock } from '../kernel/clock.js';
import { attemptId, type AttemptId } from '../kernel/ids.js';
import { Refusal } from '../kernel/refusal.js';
import { pickFields, type PostedFields } from '../web/form.js';
import { leaveNotice, takeNotice } from '../web/notice.js';
import type { Metrics } from '../metrics/metrics.js';
import type { PageWriter } from '../web/page.js';
import type { PageError } from '../web/pages.js';
import { redirect } from '../web/redirect.js';
import type { PageContext } from '../web/request.js';
import type { FormRoute, GetRoute, Route } from '../web/route-table.js';
import { rememberBrowser, visitorOf } from '../web/visitor.js';
import type { KnownBrowsers } from '../throttle/known-browsers.js';
import type { Visitor } from '../throttle/visitor.js';
import { asksFactorOnly, wantsPasskey, type Attempt } from './attempt.js';
import type { FactorAnswer } from './factor-answer.js';
import type { FirstEnrolment } from './first-enrolment.js';
import type { Interactions } from './interactions.js';
import type { Step } from './journey.js';
import type { PasskeySignIn } from './passkey-sign-in.js';
import type { RelyingParties } from './relying-parties.js';
import type { FactorOutcome, SecondFactor } from './second-factor.js';
import type { SignIn } from './sign-in.js';
import type { WeakPassword } from './weak-password.js';

const PATHS: Record<Exclude<Step, 'done'>, string> = {
  password: '',
  'second-factor': '/otp',
  'passkey-missing': '/passkey-missing',
  'prove-mailbox': '/mailbox',
  'enrol-device': '/enrol',
  'save-codes': '/recovery-codes',
  'change-password': '/change-password',
};

type AskedStep = keyof typeof PATHS;

interface Here {
  readonly ctx: PageContext;
  readonly uid: AttemptId;
  readonly attempt: Attempt;
  /** What every page of this attempt is given. */
  readonly page: { readonly uid: string; readonly service: string };
}

export interface SignInRouteParts {
  readonly signIn: SignIn;
  readonly secondFactor: SecondFactor;
  readonly passkeySignIn: PasskeySignIn;
  readonly firstEnrolment: FirstEnrolment;
  readonly weakPassword: WeakPassword;
  readonly interactions: Interactions;
  readonly relyingParties: RelyingParties;
  readonly knownBrowsers: KnownBrowsers;
  readonly write: PageWriter;
  readonly metrics: Pick<Metrics, 'login' | 'otp'>;
  readonly clock: Clock;
}

const uidOf = (ctx: PageContext): AttemptId => attemptId((ctx.params as { uid: string }).uid);

/** The hosted login pages. Every handler proves one thing and asks `proceed` where to go. */
export function signInRoutes(parts: SignInRouteParts): Route[] {
  const { signIn, secondFactor, passkeySignIn, firstEnrolment, weakPassword, interactions, relyingParties } = parts;
  const { write, metrics, clock } = parts;

  const retryAfter = (ctx: PageContext, until: Date): number => {
    const seconds = Math.max(1, secondsUntil(clock.now(), until));
    ctx.set('Retry-After', String(seconds));
    return seconds;
  };

  /** Where an attempt of this browser is shown. */
  function at(ctx: PageContext, attempt: Attempt): Here {
    const { uid } = attempt;
    const party = relyingParties.find(attempt.clientId);
    ctx.state.formOrigins.push(...(party?.formOrigins ?? []));
    return { ctx, uid, attempt, page: { uid, service: party?.name ?? '' } };
  }

  async function open(ctx: PageContext): Promise<Here & { readonly step: Step }> {
    const opened = await signIn.open(ctx, uidOf(ctx), ctx.state.browserId);
    if (opened === undefined) throw new Refusal('flow_expired');
    return { ...at(ctx, opened.attempt), step: opened.step };
  }

  /** Another tab, or the first half of a double tap, has finished this attempt: ask again, the session is good now. */
  async function leaveFinished({ ctx, uid, attempt }: Here): Promise<boolean> {
    if (attempt.finishedAt === undefined) return false;
    const request = await interactions.authorizationRequest(uid);
    if (request === undefined) throw new Refusal('flow_expired');
    redirect(ctx, request);
    return true;
  }

  /**
   * Another tab has signed in: an attempt that lacked nothing but a session asks the provider again. Pages only: who
   * posts a name and a password may be somebody else.
   */
  async function leaveOvertaken({ ctx, uid, attempt: { accountId, reasons } }: Here): Promise<boolean> {
    if (accountId !== undefined || reasons.some((reason) => reason !== 'no_session')) return false;
    if (!(await interactions.isSignedIn(ctx))) return false;
    const request = await interactions.authorizationRequest(uid);
    if (request !== undefined) redirect(ctx, request);
    return request !== undefined;
  }

  /** Goes on from the attempt as it is now: as this request left it, else as it is read. */
  async function proceed(ctx: PageContext, known?: Attempt): Promise<void> {
    const here = known === undefined ? await open(ctx) : at(ctx, known);
    if (await leaveFinished(here)) return;
    const { attempt, uid } = here;
    const onward = await signIn.proceed(ctx, attempt, visitorOf(ctx));
    if (onward === undefined) throw new Refusal('flow_expired');
    if (onward.kind === 'resume') rememberBrowser(ctx, parts.knownBrowsers, onward.accountId);
    redirect(ctx, onward.kind === 'resume' ? onward.location : `/sign-in/${uid}${PATHS[onward.step]}`);
  }

  /** A page of the journey: shown when it is the next step, else the browser is sent to the one that is. */
  function page(step: AskedStep, show: (here: Here) => Promise<void> | void): GetRoute {
    return {
      method: 'GET',
      path: `/sign-in/:uid${PATHS[step]}`,
      access: 'anyone',
      async handle(ctx) {
        const here = await open(ctx);
        if ((await leaveFinished(here)) || (await leaveOvertaken(here))) return;
        if (here.step === step) await show(here);
        else await proceed(ctx, here.attempt);
      },
    };
  }

  /** A form of one step; posted out of turn it changes nothing and leads to the step that is due. */
  function form(
    step: AskedStep,
    path: string,
    take: (here: Here, fields: PostedFields) => Promise<void> | void,
  ): FormRoute {
    return {
      method: 'POST',
      path: `/sign-in/:uid${path}`,
      access: 'anyone',
      async handle(ctx, fields) {
        const here = await open(ctx);
        if (await leaveFinished(here)) return;
        if (here.step === step) await take(here, fields);
        else await proceed(ctx, here.attempt);
      },
    };
  }

  /** A form that takes a second factor. The attempt is not read before: taking the factor reads and holds it. */
  function factorForm(
    path: string,
    field: 'otp' | 'recovery_code',
    take: (uid: AttemptId, typed: string, visitor: Visitor) => Promise<FactorOutcome>,
  ): FormRoute {
    return {
      method: 'POST',
      path: `/sign-in/:uid${path}`,
      access: 'anyone',
      async handle(ctx, fields) {
        const uid = uidOf(ctx);
        if (!interactions.holds(ctx, uid)) throw new Refusal('flow_expired');
        const { answer, attempt } = await take(uid, pickFields(fields, [field])[field], visitorOf(ctx));
        const refused = refusalOf(ctx, answer);
        if (attempt === undefined || refused === undefined) await proceed(ctx, attempt);
        else {
          // A sign-in that is over shows no field to tell it at.
          const atField = field === 'recovery_code' && refused.status === 422;
          const error = atField ? { ...refused.error, field } : refused.error;
          showOtp(at(ctx, attempt), error, refused.status);
        }
      },
    };
  }

  const showPassword = (here: Here, refused?: { error: PageError; username: string; status: number }): void => {
    const resetHref = `/reset?from=${here.uid}`;
    const { error, username, status } = refused ?? {};
    const onlyPasskey = wantsPasskey(here.attempt);
    write(
      here.ctx,
      'sign-in/password',
      { ...here.page, username, resetHref, onlyPasskey, error },
      { status: status ?? 200 },
    );
  };

  const showOtp = (here: Here, error?: PageError, status = 200): void => {
    const { attempt } = here;
    const { devices } = attempt;
    write(
      here.ctx,
      'sign-in/otp',
      { ...here.page, devices, onlyPasskey: wantsPasskey(attempt), again: asksFactorOnly(attempt), error },
      { status: error === undefined ? 200 : status },
    );
  };

  async function showMailbox(here: Here, refused?: { error: PageError; status: number }): Promise<void> {
    const emailHint = await firstEnrolment.mailboxOf(here.attempt);
    const resent = takeNotice(here.ctx, 'resent');
    write(
      here.ctx,
      'sign-in/prove-mailbox',
      { ...here.page, hasMailbox: emailHint !== undefined, emailHint, resent, error: refused?.error },
      { status: refused?.status ?? 200 },
    );
  }

  async function showEnrol(here: Here, refused?: { error: PageError; deviceName: string; status: number }) {
    const offer = await firstEnrolment.offer(here.attempt);
    if (offer === undefined) throw new Refusal('flow_expired');
    const { secret, uri, qr } = offer;
    // No use in setting up a key whose codes nobody looks at yet.
    const until = refused === undefined ? await firstEnrolment.findWait(here.attempt) : undefined;
    const { error, status } =
      until === undefined ? { error: refused?.error, status: refused?.status ?? 200 } : codesThrottled(here.ctx, until);
    const deviceName = refused?.deviceName;
    write(here.ctx, 'sign-in/enrol', { ...here.page, secret, otpauthUri: uri, qr, deviceName, error }, { status });
  }

  const showCodes = ({ ctx, page: common, attempt }: Here, error?: PageError): void => {
    write(
      ctx,
      'sign-in/recovery-codes',
      {
        ...common,
        codes: firstEnrolment.codesToSave(attempt),
        createdAt: attempt.factorAt ?? clock.now(),
        error,
      },
      { status: error === undefined ? 200 : 422 },
    );
  };

  const codesThrottled = (ctx: PageContext, until: Date): { error: PageError; status: number } => ({
    status: 429,
    error: { code: 'throttled', limit: 'codes', retryAfterSeconds: retryAfter(ctx, until) },
  });

  /** The answer to a refused second factor; undefined when it was accepted or belongs elsewhere. */
  function refusalOf(ctx: PageContext, answer: FactorAnswer): { error: PageError; status: number } | undefined {
    switch (answer.kind) {
      case 'accepted':
        metrics.otp('accepted');
        return undefined;
      case 'elsewhere':
        return undefined;
      case 'throttled':
        metrics.otp('throttled');
        return codesThrottled(ctx, answer.until);
      case 'clock_drift':
        metrics.otp('clock_drift');
        return { status: 422, error: { code: 'clock_drift', driftMinutes: answer.minutes } };
      case 'disabled':
        throw new Refusal('flow_expired', { reason: 'authenticator disabled' });
      case 'otp_invalid':
      case 'otp_reused':
      case 'passkey_invalid':
        metrics.otp(answer.kind);
        return { status: 422, error: { code: answer.kind } };
    }
  }

  return [
    page('password', (here) => {
      showPassword(here);
    }),
    form('password', '/password', async (here, fields) => {
      const { ctx, attempt } = here;
      const typed = pickFields(fields, ['username', 'password']);
      const { username } = typed;
      if (username.trim() === '' || typed.password === '') {
        const field = username.trim() === '' ? 'username' : 'password';
        showPassword(here, { error: { code: 'invalid_input', field }, username, status: 422 });
        return;
      }
      const answer = await signIn.submitPassword(attempt, typed, visitorOf(ctx));
      if (answer.kind === 'elsewhere') {
        await proceed(ctx);
        return;
      }
      metrics.login(answer.kind === 'refused' ? 'invalid_credentials' : answer.kind);
      if (answer.kind === 'accepted') await proceed(ctx, answer.attempt);
      else if (answer.kind === 'refused') {
        showPassword(here, { error: { code: 'invalid_credentials' }, username, status: 422 });
      } else {
        const error: PageError = {
          code: 'throttled',
          limit: answer.limit,
          retryAfterSeconds: retryAfter(ctx, answer.until),
        };
        showPassword(here, { error, username, status: 429 });
      }
    }),

    page('second-factor', (here) => {
      showOtp(here);
    }),
    factorForm('/otp', 'otp', (uid, typed, visitor) => secondFactor.submitOtp(uid, typed, visitor)),
    factorForm('/recovery-code', 'recovery_code', (uid, typed, visitor) =>
      secondFactor.submitRecoveryCode(uid, typed, visitor),
    ),

    {
      method: 'POST',
      path: '/sign-in/:uid/passkey/challenge',
      access: 'anyone',
      // For the script of the two pages that offer a passkey; anything but 200 has it read its page anew.
      async handle(ctx, fields) {
        pickFields(fields, []);
        const { attempt } = await open(ctx);
        const options = attempt.finishedAt === undefined ? await passkeySignIn.begin(attempt) : undefined;
        if (options === undefined) throw new Refusal('flow_expired', { reason: 'no passkey is due' });
        ctx.body = options;
      },
    },
    {
      method: 'POST',
      path: '/sign-in/:uid/passkey',
      access: 'anyone',
      async handle(ctx, fields) {
        const uid = uidOf(ctx);
        if (!interactions.holds(ctx, uid)) throw new Refusal('flow_expired');
        const { credential } = pickFields(fields, ['credential']);
        const { answer, attempt } = await passkeySignIn.submit(uid, credential, visitorOf(ctx));
        const refused = refusalOf(ctx, answer);
        if (attempt === undefined || refused === undefined) {
          await proceed(ctx, attempt);
          return;
        }
        // Where the button stood: beside the password, or in place of the code.
        const here = await open(ctx);
        if (here.step === 'password') showPassword(here, { ...refused, username: '' });
        else showOtp(here, refused.error, refused.status);
      },
    },
    page('passkey-missing', ({ ctx, page: common }) => {
      write(ctx, 'sign-in/passkey-missing', { ...common, error: { code: 'passkey_required' } });
    }),
    {
      method: 'POST',
      path: '/sign-in/:uid/decline',
      access: 'anyone',
      // The person has no passkey at hand and goes back to the service, which learns why.
      async handle(ctx, fields) {
        pickFields(fields, []);
        const here = await open(ctx);
        if (await leaveFinished(here)) return;
        const location = wantsPasskey(here.attempt) ? await interactions.decline(ctx, here.uid) : undefined;
        if (location === undefined) await proceed(ctx, here.attempt);
        else redirect(ctx, location);
      },
    },

    page('prove-mailbox', (here) => showMailbox(here)),
    form('prove-mailbox', '/mailbox', async (here, fields) => {
      const { code } = pickFields(fields, ['code']);
      const answer = await firstEnrolment.proveMailbox(here.attempt, code, visitorOf(here.ctx));
      if (answer.kind === 'accepted') await proceed(here.ctx);
      else if (answer.kind === 'code_invalid') {
        await showMailbox(here, { error: { code: 'code_invalid', field: 'code' }, status: 422 });
      } else {
        const href = relyingParties.find(here.attempt.clientId)?.href;
        const back = href === undefined ? undefined : { service: here.page.service, href };
        write(here.ctx, 'expired', { cause: 'too_many_codes', kept: 'nothing', back }, { status: 410 });
      }
    }),
    form('prove-mailbox', '/mailbox/resend', async (here, fields) => {
      pickFields(fields, []);
      const answer = await firstEnrolment.resend(here.attempt, visitorOf(here.ctx));
      if (answer.kind === 'sent') {
        leaveNotice(here.ctx, 'resent');
        redirect(here.ctx, `/sign-in/${here.uid}${PATHS['prove-mailbox']}`);
      } else {
        const retryAfterSeconds = retryAfter(here.ctx, answer.until);
        await showMailbox(here, { error: { code: 'throttled', limit: 'mails', retryAfterSeconds }, status: 429 });
      }
    }),

    page('enrol-device', (here) => showEnrol(here)),
    form('enrol-device', '/enrol', async (here, fields) => {
      const { otp, device_name: deviceName } = pickFields(fields, ['otp', 'device_name']);
      const answer = await firstEnrolment.confirm(here.attempt, { otp, deviceName }, visitorOf(here.ctx));
      if (answer.kind === 'gone') throw new Refusal('flow_expired');
      const refused =
        answer.kind === 'name_invalid'
          ? { error: { code: 'invalid_input', field: 'device_name' } as const, status: 422 }
          : refusalOf(here.ctx, answer);
      if (refused === undefined) await proceed(here.ctx);
      else await showEnrol(here, { ...refused, deviceName });
    }),

    page('save-codes', (here) => {
      showCodes(here);
    }),
    {
      method: 'GET',
      path: '/sign-in/:uid/recovery-codes.txt',
      access: 'anyone',
      async handle(ctx) {
        const { attempt, step } = await open(ctx);
        if (step !== 'save-codes') throw new Refusal('not_found');
        ctx.type = 'text/plain; charset=utf-8';
        ctx.set('Content-Disposition', 'attachment; filename="kode-pemulihan-sso-asn.txt"');
        ctx.body = `SSO ASN\r\n\r\n${firstEnrolment.codesToSave(attempt).join('\r\n')}\r\n`;
      },
    },
    form('save-codes', '/recovery-codes', async (here, fields) => {
      const { saved } = pickFields(fields, ['saved']);
      if (saved === '') {
        showCodes(here, { code: 'invalid_input', field: 'saved' });
        return;
      }
      await firstEnrolment.codesSaved(here.uid);
      await proceed(here.ctx);
    }),

    page('change-password', ({ ctx, page: common }) => {
      write(ctx, 'sign-in/change-password', common);
    }),
    form('change-password', '/change-password', async (here, fields) => {
      const typed = pickFields(fields, ['new_password', 'confirm_password']);
      const answer = await weakPassword.change(
        here.attempt,
        { password: typed.new_password, confirmation: typed.confirm_password },
        visitorOf(here.ctx),
      );
      if (answer.kind === 'accepted') await proceed(here.ctx);
      else if (answer.kind === 'gone') throw new Refusal('flow_expired');
      else {
        const rules = answer.kind === 'password_policy' ? answer.rules : undefined;
        write(
          here.ctx,
          'sign-in/change-password',
          { ...here.page, error: { code: answer.kind, rules } },
          { status: 422 },
        );
      }
    }),
  ];
}
