import { Refusal } from '../../kernel/refusal.js';
import type { KnownBrowsers } from '../../throttle/known-browsers.js';
import { readCookie, setCookie } from '../../web/cookies.js';
import { pickFields } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { rememberBrowser, visitorOf } from '../../web/visitor.js';
import { resetForms, type Refused, type ResetFormParts } from '../routes.js';
import type { SlipActivation, SlipView } from './slip-activation.js';

/** As it is printed on slips. */
const PATH = '/aktivasi';
const PASSAGE = 'slip';
const PASSAGE_SECONDS = 30 * 60;

export interface SlipRouteParts extends ResetFormParts {
  readonly slipActivation: SlipActivation;
  readonly knownBrowsers: KnownBrowsers;
  readonly write: PageWriter;
}

interface Typed {
  readonly username?: string;
  readonly slip?: string;
}

/** The first password by a slip. */
export function slipRoutes(parts: SlipRouteParts): Route[] {
  const { slipActivation, knownBrowsers, write } = parts;
  const { refused, throttled, newCaptcha, captchaOf, forgetCaptcha } = resetForms(parts, PATH);

  async function showStart(ctx: PageContext, typed: Typed = {}, shown?: Refused): Promise<void> {
    const captchaId = await newCaptcha(ctx);
    write(ctx, 'activate/start', { captchaId, ...typed, error: shown?.error }, { status: shown?.status ?? 200 });
  }
  const passageOf = (ctx: PageContext): string => {
    const passage = readCookie(ctx, PASSAGE, PATH);
    if (passage === undefined) throw new Refusal('flow_expired', { reason: 'no slip in this browser' });
    return passage;
  };
  async function viewOf(ctx: PageContext): Promise<SlipView> {
    const view = await slipActivation.view(passageOf(ctx), visitorOf(ctx));
    if (view === undefined) throw new Refusal('flow_expired', { reason: 'slip gone' });
    return view;
  }

  return [
    { method: 'GET', path: PATH, access: 'anyone', handle: (ctx) => showStart(ctx) },
    {
      method: 'POST',
      path: PATH,
      access: 'anyone',
      async handle(ctx, fields) {
        const { username, slip, captcha } = pickFields(fields, ['username', 'slip', 'captcha']);
        const missing = username.trim() === '' ? 'username' : slip.trim() === '' ? 'slip' : undefined;
        if (missing !== undefined) {
          await showStart(ctx, { username, slip }, refused({ code: 'invalid_input', field: missing }));
          return;
        }
        const captchaId = captchaOf(ctx);
        const answer = await slipActivation.start({ username, slip, captchaId, captcha }, visitorOf(ctx));
        switch (answer.kind) {
          case 'captcha_wrong':
            await showStart(ctx, { username, slip }, refused({ code: 'captcha_wrong', field: 'captcha' }));
            return;
          case 'refused':
            await showStart(ctx, { username, slip }, refused({ code: 'code_invalid', field: 'slip' }));
            return;
          case 'throttled':
            await showStart(ctx, { username, slip }, throttled(ctx, answer.until, 'requests'));
            return;
          case 'opened':
            forgetCaptcha(ctx);
            setCookie(ctx, PASSAGE, answer.passage, { path: PATH, maxAgeSeconds: PASSAGE_SECONDS });
            redirect(ctx, `${PATH}/password`);
        }
      },
    },
    {
      // What was typed stays.
      method: 'POST',
      path: `${PATH}/picture`,
      access: 'anyone',
      async handle(ctx, fields) {
        const { username, slip } = pickFields(fields, ['username', 'slip', 'captcha']);
        await showStart(ctx, { username, slip });
      },
    },
    {
      method: 'GET',
      path: `${PATH}/password`,
      access: 'anyone',
      async handle(ctx) {
        const { isDone } = await viewOf(ctx);
        if (isDone) redirect(ctx, `${PATH}/selesai`);
        else write(ctx, 'activate/password', {});
      },
    },
    {
      method: 'POST',
      path: `${PATH}/password`,
      access: 'anyone',
      async handle(ctx, fields) {
        const typed = pickFields(fields, ['new_password', 'confirm_password']);
        const passwords = { password: typed.new_password, confirmation: typed.confirm_password };
        const answer = await slipActivation.submit(passageOf(ctx), passwords, visitorOf(ctx));
        switch (answer.kind) {
          case 'gone':
            throw new Refusal('flow_expired');
          case 'password_policy':
          case 'confirmation_mismatch': {
            const rules = answer.kind === 'password_policy' ? answer.rules : undefined;
            const { error, status } = refused({ code: answer.kind, rules });
            write(ctx, 'activate/password', { error }, { status });
            return;
          }
          case 'done':
            parts.metrics.reset('accepted');
            rememberBrowser(ctx, knownBrowsers, answer.account.id);
            redirect(ctx, `${PATH}/selesai`);
        }
      },
    },
    {
      method: 'GET',
      path: `${PATH}/selesai`,
      access: 'anyone',
      async handle(ctx) {
        const { isDone, hasEmail } = await viewOf(ctx);
        if (isDone) write(ctx, 'activate/done', { hasEmail });
        else redirect(ctx, `${PATH}/password`);
      },
    },
  ];
}
