import type { Captchas } from '../captcha/captchas.js';
import { secondsUntil, type Clock } from '../kernel/clock.js';
import { Refusal } from '../kernel/refusal.js';
import type { KeyedDigest } from '../security/digests.js';
import { addressBucket } from '../throttle/address.js';
import type { KnownBrowsers } from '../throttle/known-browsers.js';
import { clearCookie, readCookie, setCookie } from '../web/cookies.js';
import { pickFields, queryValue } from '../web/form.js';
import { leaveNotice, takeNotice } from '../web/notice.js';
import type { Metrics } from '../metrics/metrics.js';
import type { PageWriter } from '../web/page.js';
import type { PageError } from '../web/pages.js';
import { redirect } from '../web/redirect.js';
import type { PageContext } from '../web/request.js';
import type { Route } from '../web/route-table.js';
import { rememberBrowser, visitorOf } from '../web/visitor.js';
import type { CodeAnswer, FlowView, PasswordReset } from './password-reset.js';
import type { WayBack } from './way-back.js';
import type { WeakAnswer, WeakPasswordReset } from './weak-password-reset.js';

/** Cookies of the reset pages, all below this path. */
export const AREA = '/reset';
const FLOW = 'reset';
const CAPTCHA = 'captcha';
/** The sign-in that RESET was chosen on. */
const FROM = 'from';
export const HOUR_SECONDS = 3600;

/** Has the form of a sign-in's id; anything else never was one, and may not even fit into a cookie. */
const isAttempt = (text: string | undefined): text is string => text !== undefined && /^[\w-]{1,64}$/.test(text);

/** The sign-in that this page was chosen on, kept for the pages after it; else the one kept before. */
export function rememberOrigin(ctx: PageContext): string | undefined {
  const asked = queryValue(ctx, 'from');
  if (!isAttempt(asked)) return originOf(ctx);
  setCookie(ctx, FROM, asked, { path: AREA, maxAgeSeconds: HOUR_SECONDS });
  return asked;
}

export const originOf = (ctx: PageContext): string | undefined => readCookie(ctx, FROM, AREA);

/** What the forms of all resets have in common. */
export interface ResetForms {
  refused(this: void, error: PageError): Refused;
  throttled(this: void, ctx: PageContext, until: Date, limit: 'passwords' | 'codes' | 'mails' | 'requests'): Refused;
  /** A new captcha for a page about to be shown. */
  newCaptcha(this: void, ctx: PageContext): Promise<string>;
  /** The one that the form which has come was shown with. */
  captchaOf(this: void, ctx: PageContext): string;
  forgetCaptcha(this: void, ctx: PageContext): void;
}

export interface ResetFormParts {
  readonly captchas: Captchas;
  readonly metrics: Pick<Metrics, 'reset'>;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

/** `area`: the path below which the pages lie. */
export function resetForms({ captchas, metrics, keyed, clock }: ResetFormParts, area = AREA): ResetForms {
  return {
    throttled(ctx, until, limit) {
      const retryAfterSeconds = Math.max(1, secondsUntil(clock.now(), until));
      ctx.set('Retry-After', String(retryAfterSeconds));
      metrics.reset('throttled');
      return { error: { code: 'throttled', limit, retryAfterSeconds }, status: 429 };
    },
    refused(error) {
      metrics.reset(error.code);
      return { error, status: 422 };
    },
    async newCaptcha(ctx) {
      const bucket = keyed('address', addressBucket(ctx.state.address));
      const { id } = await captchas.issue({ browser: ctx.state.browserId, addressBucket: bucket });
      setCookie(ctx, CAPTCHA, id, { path: area });
      return id;
    },
    captchaOf: (ctx) => readCookie(ctx, CAPTCHA, area) ?? '',
    forgetCaptcha(ctx) {
      clearCookie(ctx, CAPTCHA, area);
    },
  };
}

export interface ResetRouteParts extends ResetFormParts {
  readonly passwordReset: PasswordReset;
  readonly weakPasswordReset: WeakPasswordReset;
  readonly wayBack: WayBack;
  readonly knownBrowsers: KnownBrowsers;
  readonly write: PageWriter;
  readonly showsEmailHint: boolean;
}

export interface Refused {
  readonly error: PageError;
  readonly status: number;
}

export function resetRoutes(parts: ResetRouteParts): Route[] {
  const { passwordReset, weakPasswordReset, captchas, wayBack, knownBrowsers, write, metrics } = parts;
  const { refused, throttled, newCaptcha, captchaOf, forgetCaptcha } = resetForms(parts);

  const flowIdOf = (ctx: PageContext): string => {
    const id = readCookie(ctx, FLOW, AREA);
    if (id === undefined) throw new Refusal('flow_expired', { reason: 'no reset in this browser' });
    return id;
  };
  async function viewOf(ctx: PageContext): Promise<FlowView> {
    const view = await passwordReset.view(flowIdOf(ctx), visitorOf(ctx));
    if (view === undefined) throw new Refusal('flow_expired', { reason: 'reset gone' });
    return view;
  }

  async function showStart(ctx: PageContext, shown: { username?: string; refused?: Refused } = {}): Promise<void> {
    const id = await newCaptcha(ctx);
    write(
      ctx,
      'reset/password/start',
      { captchaId: id, username: shown.username, error: shown.refused?.error },
      { status: shown.refused?.status ?? 200 },
    );
  }

  async function showEmail(ctx: PageContext, shown: { email?: string; refused?: Refused } = {}): Promise<void> {
    const view = await viewOf(ctx);
    if (view.state === 'done') {
      redirect(ctx, '/reset/password/done');
      return;
    }
    const emailHint = parts.showsEmailHint ? view.emailHint : undefined;
    write(
      ctx,
      'reset/password/email',
      { emailHint, email: shown.email, error: shown.refused?.error },
      { status: shown.refused?.status ?? 200 },
    );
  }

  /** Once a code was right it need not be typed again, whatever else was refused. */
  const showCode = (ctx: PageContext, shown?: Refused & { codeAccepted?: boolean }): void => {
    const resent = takeNotice(ctx, 'resent');
    const { error, codeAccepted, status = 200 } = shown ?? {};
    write(ctx, 'reset/password/code', { resent, error, codeAccepted }, { status });
  };

  /** What a refused factor or password of either reset says; undefined where the answer is no such refusal. */
  function refusalOf(ctx: PageContext, answer: CodeAnswer | WeakAnswer): Refused | undefined {
    switch (answer.kind) {
      case 'reused':
        return refused({ code: 'otp_reused' });
      case 'mismatch':
        return refused({ code: 'otp_invalid' });
      case 'drift':
        return refused({ code: 'clock_drift', driftMinutes: answer.minutes });
      case 'throttled':
        return throttled(ctx, answer.until, 'limit' in answer ? answer.limit : 'codes');
      case 'password_policy':
        return refused({ code: 'password_policy', rules: answer.rules });
      case 'confirmation_mismatch':
      case 'otp_required':
      case 'code_invalid':
        return refused({ code: answer.kind });
      case 'refused':
        return refused({ code: 'invalid_credentials' });
      case 'done':
      case 'exhausted':
      case 'gone':
        return undefined;
    }
  }

  return [
    {
      method: 'GET',
      path: '/reset',
      access: 'anyone',
      async handle(ctx) {
        write(ctx, 'reset/menu', { back: await wayBack.find(rememberOrigin(ctx), ctx.state.browserId) });
      },
    },
    { method: 'GET', path: '/reset/password', access: 'anyone', handle: (ctx) => showStart(ctx) },
    {
      method: 'POST',
      path: '/reset/password',
      access: 'anyone',
      async handle(ctx, fields) {
        const { username, captcha } = pickFields(fields, ['username', 'captcha']);
        if (username.trim() === '') {
          await showStart(ctx, { username, refused: refused({ code: 'invalid_input', field: 'username' }) });
          return;
        }
        const captchaId = captchaOf(ctx);
        const attemptUid = originOf(ctx);
        const answer = await passwordReset.start({ username, captcha, captchaId, attemptUid }, visitorOf(ctx));
        if (answer.kind === 'captcha_wrong') {
          await showStart(ctx, { username, refused: refused({ code: 'captcha_wrong', field: 'captcha' }) });
          return;
        }
        forgetCaptcha(ctx);
        setCookie(ctx, FLOW, answer.flowId, { path: AREA, maxAgeSeconds: HOUR_SECONDS });
        redirect(ctx, '/reset/password/email');
      },
    },
    {
      // What was typed stays.
      method: 'POST',
      path: '/reset/password/picture',
      access: 'anyone',
      async handle(ctx, fields) {
        const { username } = pickFields(fields, ['username', 'captcha']);
        await showStart(ctx, { username });
      },
    },
    { method: 'GET', path: '/reset/password/email', access: 'anyone', handle: (ctx) => showEmail(ctx) },
    {
      method: 'POST',
      path: '/reset/password/email',
      access: 'anyone',
      async handle(ctx, fields) {
        const { email } = pickFields(fields, ['email']);
        if (email.trim() === '') {
          await showEmail(ctx, { email, refused: refused({ code: 'invalid_input', field: 'email' }) });
          return;
        }
        const answer = await passwordReset.submitEmail(flowIdOf(ctx), email, visitorOf(ctx));
        if (answer.kind === 'gone') throw new Refusal('flow_expired');
        if (answer.kind === 'throttled') {
          await showEmail(ctx, { email, refused: throttled(ctx, answer.until, 'mails') });
        } else redirect(ctx, '/reset/password/code');
      },
    },
    {
      method: 'GET',
      path: '/reset/password/code',
      access: 'anyone',
      async handle(ctx) {
        const { state } = await viewOf(ctx);
        if (state === 'mailed') showCode(ctx);
        else redirect(ctx, state === 'done' ? '/reset/password/done' : '/reset/password/email');
      },
    },
    {
      method: 'POST',
      path: '/reset/password/code',
      access: 'anyone',
      async handle(ctx, fields) {
        const typed = pickFields(fields, ['code', 'new_password', 'confirm_password', 'otp']);
        const { code, otp } = typed;
        const visitor = visitorOf(ctx);
        const answer = await passwordReset.submitCode(
          flowIdOf(ctx),
          { code, otp, password: typed.new_password, confirmation: typed.confirm_password },
          visitor,
        );
        if (answer.kind === 'gone') throw new Refusal('flow_expired');
        if (answer.kind === 'exhausted') {
          write(
            ctx,
            'expired',
            { cause: 'too_many_codes', kept: 'password_unchanged', restartHref: '/reset' },
            { status: 410 },
          );
          return;
        }
        const shown = refusalOf(ctx, answer);
        if (shown !== undefined) {
          showCode(ctx, { ...shown, codeAccepted: answer.kind !== 'code_invalid' });
          return;
        }
        if (answer.kind === 'done') {
          metrics.reset('accepted');
          rememberBrowser(ctx, knownBrowsers, answer.account.id);
        }
        redirect(ctx, '/reset/password/done');
      },
    },
    {
      method: 'POST',
      path: '/reset/password/resend',
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const answer = await passwordReset.resend(flowIdOf(ctx), visitorOf(ctx));
        if (answer.kind === 'gone') throw new Refusal('flow_expired');
        if (answer.kind === 'throttled') {
          showCode(ctx, throttled(ctx, answer.until, 'mails'));
          return;
        }
        leaveNotice(ctx, 'resent');
        redirect(ctx, '/reset/password/code');
      },
    },
    {
      method: 'GET',
      path: '/reset/password/done',
      access: 'anyone',
      async handle(ctx) {
        const view = await viewOf(ctx);
        if (view.state !== 'done') {
          redirect(ctx, '/reset/password/code');
          return;
        }
        const back = await wayBack.find(view.attemptUid, ctx.state.browserId);
        write(ctx, 'reset/password/done', { back, loginHref: back?.href });
      },
    },
    {
      method: 'GET',
      path: '/reset/weak',
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'reset/weak', {});
      },
    },
    {
      method: 'POST',
      path: '/reset/weak',
      access: 'anyone',
      async handle(ctx, fields) {
        const typed = pickFields(fields, ['username', 'password', 'otp', 'new_password', 'confirm_password']);
        const { username, password, otp } = typed;
        const answer = await weakPasswordReset.submit(
          { username, password, otp, newPassword: typed.new_password, confirmation: typed.confirm_password },
          visitorOf(ctx),
        );
        const shown = refusalOf(ctx, answer);
        if (shown !== undefined) write(ctx, 'reset/weak', { username, error: shown.error }, { status: shown.status });
        else redirect(ctx, '/reset/weak/done');
      },
    },
    {
      method: 'GET',
      path: '/reset/weak/done',
      access: 'anyone',
      async handle(ctx) {
        const back = await wayBack.find(originOf(ctx), ctx.state.browserId);
        write(ctx, 'reset/weak/done', { back, loginHref: back?.href });
      },
    },
    {
      method: 'GET',
      path: '/captcha/:id.png',
      access: 'anyone',
      async handle(ctx) {
        const { id } = ctx.params as { id: string };
        const png = await captchas.image(id, ctx.state.browserId);
        if (png === undefined) throw new Refusal('not_found');
        ctx.type = 'image/png';
        ctx.body = png;
      },
    },
    {
      method: 'GET',
      path: '/captcha/:id.wav',
      access: 'anyone',
      async handle(ctx) {
        const { id } = ctx.params as { id: string };
        const wav = await captchas.audio(id, ctx.state.browserId, ctx.state.locale);
        if (wav === undefined) throw new Refusal('not_found');
        ctx.type = 'audio/wav';
        ctx.body = wav;
      },
    },
  ];
}
