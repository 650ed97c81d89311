import type { WaitingResets } from '../../mfa/waiting-resets.js';
import { Refusal } from '../../kernel/refusal.js';
import { isRecoveryCode } from '../../mfa/recovery-codes.js';
import { readCookie, setCookie } from '../../web/cookies.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeNotice } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import {
  AREA,
  HOUR_SECONDS,
  originOf,
  rememberOrigin,
  resetForms,
  type Refused,
  type ResetFormParts,
} from '../routes.js';
import type { WayBack } from '../way-back.js';
import type { FactorAnswer, SelfReset, SelfResetView } from './self-reset.js';

const FLOW = 'mfa-reset';
/** Within which somebody who has just reset a device logs in with another. */
const LOGIN_SECONDS = 300;
/** Links hold the token of one waiting reset; whatever else stands there never was one. */
const TOKEN = /^[0-9A-Z]{26}$/;

export interface SelfResetRouteParts extends ResetFormParts {
  readonly selfReset: SelfReset;
  readonly waitingResets: WaitingResets;
  readonly wayBack: WayBack;
  readonly write: PageWriter;
  readonly waitSeconds: number;
  readonly showsEmailHint: boolean;
}

/** Whoever comes too late begins again here, not at the login. */
const gone = (reason = 'reset gone'): Refusal => new Refusal('flow_expired', { passage: 'mfa_reset', reason });

/** What each first page leads to, by the last segment of its path. */
const WAYS = { now: 'factor', wait: 'wait' } as const;

function wayOf({ way }: { way: string }): keyof typeof WAYS {
  if (way !== 'now' && way !== 'wait') throw new Refusal('invalid_input', { reason: 'unknown way' });
  return way;
}

/** Where a passage is shown. */
function pathOf(view: SelfResetView): string {
  if (view.state !== 'proved') return `/reset/mfa/${view.state}`;
  return view.way === 'factor' ? '/reset/mfa/factor' : '/reset/mfa/code';
}

/** *Reset MFA*: a lost phone, without a queue. */
export function selfResetRoutes(parts: SelfResetRouteParts): Route[] {
  const { selfReset, waitingResets, wayBack, write, metrics } = parts;
  const { refused, throttled, newCaptcha, captchaOf, forgetCaptcha } = resetForms(parts);

  const flowIdOf = (ctx: PageContext): string => {
    const id = readCookie(ctx, FLOW, AREA);
    if (id === undefined) throw gone('no reset in this browser');
    return id;
  };
  async function viewOf(ctx: PageContext): Promise<SelfResetView> {
    const view = await selfReset.view(flowIdOf(ctx), visitorOf(ctx));
    if (view === undefined) throw gone();
    return view;
  }
  async function leadOn(ctx: PageContext): Promise<void> {
    redirect(ctx, pathOf(await viewOf(ctx)));
  }

  async function showStart(
    ctx: PageContext,
    shown: { way: keyof typeof WAYS; username?: string; refused?: Refused },
  ): Promise<void> {
    const { way, username } = shown;
    const data = { way, captchaId: await newCaptcha(ctx), username, error: shown.refused?.error };
    write(ctx, 'reset/mfa/start', data, { status: shown.refused?.status ?? 200 });
  }

  /** The page for a factor that is left; once this passage is over, only what ended it. */
  async function showFactor(ctx: PageContext, shown?: Refused & { lost?: string }): Promise<void> {
    const { error, status = 200, lost } = shown ?? {};
    const over = error?.code === 'throttled';
    const view = over ? undefined : await viewOf(ctx);
    if (view !== undefined && !(view.state === 'proved' && view.way === 'factor')) {
      redirect(ctx, pathOf(view));
      return;
    }
    write(ctx, 'reset/mfa/factor', { devices: view?.devices ?? [], lost, error }, { status });
  }

  async function showCode(ctx: PageContext, shown?: Refused): Promise<void> {
    const view = await viewOf(ctx);
    if (!(view.state === 'proved' && view.way === 'wait')) {
      redirect(ctx, pathOf(view));
      return;
    }
    const resent = takeNotice(ctx, 'resent');
    const { emailHint } = view;
    const hint = parts.showsEmailHint ? emailHint : undefined;
    const data = { hasMailbox: emailHint !== undefined, emailHint: hint, resent, error: shown?.error };
    write(ctx, 'reset/mfa/code', data, { status: shown?.status ?? 200 });
  }

  /** What a refused factor says, at the field it was typed into; undefined where it leads on or the passage is over. */
  function errorOf(answer: FactorAnswer, field: 'otp' | 'recovery_code'): PageError | undefined {
    switch (answer.kind) {
      case 'otp_invalid':
        return { code: answer.kind, field, again: answer.again };
      case 'otp_reused':
        return { code: answer.kind };
      case 'clock_drift':
        return { code: answer.kind, driftMinutes: answer.minutes };
      case 'in_hand':
        return { code: 'invalid_input', field: 'lost', isInHand: true };
      case 'none_chosen':
        return { code: 'invalid_input', field: 'lost' };
      case 'no_such_device':
        return { code: 'invalid_input' };
      case 'throttled':
      case 'done':
      case 'gone':
        return undefined;
    }
  }

  async function answerFactor(
    ctx: PageContext,
    answer: FactorAnswer,
    typed: { field: 'otp' | 'recovery_code'; lost?: string },
  ): Promise<void> {
    if (answer.kind === 'gone') throw gone();
    const error = errorOf(answer, typed.field);
    if (answer.kind === 'throttled') await showFactor(ctx, throttled(ctx, answer.until, 'codes'));
    else if (error !== undefined) {
      await showFactor(ctx, { ...refused(error), ...(typed.lost === undefined ? {} : { lost: typed.lost }) });
    } else {
      metrics.reset('accepted');
      // Told on the launcher, behind the login that comes next.
      if (typed.field === 'otp') leaveNotice(ctx, 'device_lost', { seconds: LOGIN_SECONDS });
      await leadOn(ctx);
    }
  }

  return [
    {
      method: 'GET',
      path: '/reset/mfa',
      access: 'anyone',
      async handle(ctx) {
        const back = await wayBack.find(rememberOrigin(ctx), ctx.state.browserId);
        write(ctx, 'reset/mfa', { back, waitSeconds: parts.waitSeconds });
      },
    },
    { method: 'GET', path: '/reset/mfa/now', access: 'anyone', handle: (ctx) => showStart(ctx, { way: 'now' }) },
    { method: 'GET', path: '/reset/mfa/wait', access: 'anyone', handle: (ctx) => showStart(ctx, { way: 'wait' }) },
    {
      method: 'POST',
      path: '/reset/mfa/start',
      access: 'anyone',
      async handle(ctx, fields) {
        const typed = pickFields(fields, ['way', 'username', 'password', 'captcha']);
        const { username, password, captcha } = typed;
        const way = wayOf(typed);
        const missing = username.trim() === '' ? 'username' : password === '' ? 'password' : undefined;
        if (missing !== undefined) {
          await showStart(ctx, { way, username, refused: refused({ code: 'invalid_input', field: missing }) });
          return;
        }
        const answer = await selfReset.start(
          { way: WAYS[way], username, password, captcha, captchaId: captchaOf(ctx), attemptUid: originOf(ctx) },
          visitorOf(ctx),
        );
        switch (answer.kind) {
          case 'captcha_wrong':
            await showStart(ctx, { way, username, refused: refused({ code: 'captcha_wrong', field: 'captcha' }) });
            return;
          case 'refused':
            await showStart(ctx, { way, username, refused: refused({ code: 'invalid_credentials' }) });
            return;
          case 'throttled':
            await showStart(ctx, { way, username, refused: throttled(ctx, answer.until, answer.limit) });
            return;
          case 'gone':
            throw gone();
          case 'started':
            forgetCaptcha(ctx);
            setCookie(ctx, FLOW, answer.flowId, { path: AREA, maxAgeSeconds: HOUR_SECONDS });
            // The page of the last proof leads on where none is due.
            redirect(ctx, way === 'now' ? '/reset/mfa/factor' : '/reset/mfa/code');
        }
      },
    },
    {
      // What was typed stays, but the password.
      method: 'POST',
      path: '/reset/mfa/picture',
      access: 'anyone',
      async handle(ctx, fields) {
        const typed = pickFields(fields, ['way', 'username', 'password', 'captcha']);
        await showStart(ctx, { way: wayOf(typed), username: typed.username });
      },
    },
    { method: 'GET', path: '/reset/mfa/factor', access: 'anyone', handle: (ctx) => showFactor(ctx) },
    {
      method: 'POST',
      path: '/reset/mfa/factor',
      access: 'anyone',
      async handle(ctx, fields) {
        const { otp, lost } = pickFields(fields, ['otp', 'lost']);
        const answer = await selfReset.submitOtp(flowIdOf(ctx), { otp, lost }, visitorOf(ctx));
        await answerFactor(ctx, answer, { field: 'otp', lost });
      },
    },
    {
      method: 'POST',
      path: '/reset/mfa/recovery-code',
      access: 'anyone',
      async handle(ctx, fields) {
        const { recovery_code: code } = pickFields(fields, ['recovery_code']);
        if (!isRecoveryCode(code)) {
          await showFactor(ctx, refused({ code: 'invalid_input', field: 'recovery_code' }));
          return;
        }
        const answer = await selfReset.submitRecoveryCode(flowIdOf(ctx), code, visitorOf(ctx));
        await answerFactor(ctx, answer, { field: 'recovery_code' });
      },
    },
    { method: 'GET', path: '/reset/mfa/code', access: 'anyone', handle: (ctx) => showCode(ctx) },
    {
      method: 'POST',
      path: '/reset/mfa/code',
      access: 'anyone',
      async handle(ctx, fields) {
        const { code } = pickFields(fields, ['code']);
        const answer = await selfReset.submitCode(flowIdOf(ctx), code, visitorOf(ctx));
        switch (answer.kind) {
          case 'gone':
            throw gone();
          case 'code_invalid':
            await showCode(ctx, refused({ code: 'code_invalid' }));
            return;
          case 'exhausted': {
            const data = { cause: 'too_many_codes', kept: 'password_unchanged', restartHref: '/reset/mfa' } as const;
            write(ctx, 'expired', data, { status: 410 });
            return;
          }
          case 'done':
            metrics.reset('accepted');
            await leadOn(ctx);
        }
      },
    },
    {
      method: 'POST',
      path: '/reset/mfa/resend',
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const answer = await selfReset.resend(flowIdOf(ctx), visitorOf(ctx));
        if (answer.kind === 'gone') throw gone();
        if (answer.kind === 'throttled') {
          await showCode(ctx, throttled(ctx, answer.until, 'mails'));
          return;
        }
        leaveNotice(ctx, 'resent');
        redirect(ctx, '/reset/mfa/code');
      },
    },
    {
      method: 'GET',
      path: '/reset/mfa/waiting',
      access: 'anyone',
      async handle(ctx) {
        const view = await viewOf(ctx);
        if (view.state === 'waiting') write(ctx, 'reset/mfa/waiting', { dueAt: view.dueAt, back: view.back });
        else redirect(ctx, pathOf(view));
      },
    },
    {
      method: 'GET',
      path: '/reset/mfa/done',
      access: 'anyone',
      async handle(ctx) {
        const view = await viewOf(ctx);
        if (view.state !== 'done') {
          redirect(ctx, pathOf(view));
          return;
        }
        const { outcome, back } = view;
        write(ctx, 'reset/mfa/done', { outcome, back, loginHref: back?.href });
      },
    },
    {
      method: 'GET',
      path: '/reset/mfa/stop/:token',
      access: 'anyone',
      async handle(ctx) {
        const token = tokenOf(ctx);
        const link = await waitingResets.look(token);
        if (link.kind === 'stopped') redirect(ctx, '/reset/mfa/stopped');
        else write(ctx, 'reset/mfa/stop', { token, dueAt: link.kind === 'waiting' ? link.dueAt : undefined });
      },
    },
    {
      // A mail scanner that opens every link stops nothing: that takes the button.
      method: 'POST',
      path: '/reset/mfa/stop/:token',
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const token = tokenOf(ctx);
        const { kind } = await waitingResets.stopByLink(token, visitorOf(ctx));
        redirect(ctx, kind === 'stopped' ? '/reset/mfa/stopped' : `/reset/mfa/stop/${token}`);
      },
    },
    {
      method: 'GET',
      path: '/reset/mfa/stopped',
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'reset/mfa/stopped', {});
      },
    },
    {
      // One click: whoever is logged in has proved a factor that the reset would end.
      method: 'POST',
      path: '/account/mfa-reset/stop',
      access: 'person',
      page: '/',
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        await waitingResets.stop({ accountId: person.id, by: 'person', trace: visitorOf(ctx) });
        redirect(ctx, '/reset/mfa/stopped');
      },
    },
  ];
}

function tokenOf(ctx: PageContext): string {
  const { token } = ctx.params as { token: string };
  if (!TOKEN.test(token)) throw new Refusal('not_found');
  return token;
}
