import { OWN_CLIENT_IDS } from '../../clients/client-schema.js';
import type { Metrics } from '../../metrics/metrics.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeNotice } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import { redirect } from '../../web/redirect.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import { wantsPasskey } from '../attempt.js';
import type { Interactions } from '../interactions.js';
import type { SignIn } from '../sign-in.js';
import type { Refused } from './factor-refusal.js';
import type { Here, Walk } from './walk.js';

export type ShowPassword = (here: Here, refused?: Refused & { readonly username: string }) => void;

/** Writes the page of the username and the password. */
export const passwordPage =
  (write: PageWriter): ShowPassword =>
  (here, refused) => {
    const resetHref = `/reset?from=${here.uid}`;
    const { error, username, status } = refused ?? {};
    const onlyPasskey = wantsPasskey(here.attempt);
    // Our own pages have nowhere else to go back to.
    const wayOut = OWN_CLIENT_IDS.includes(here.attempt.clientId)
      ? undefined
      : here.attempt.isForDevice
        ? ('cancel' as const)
        : ('back' as const);
    const sessionOver = refused === undefined && takeNotice(here.ctx, 'session_over');
    write(
      here.ctx,
      'sign-in/password',
      { ...here.page, username, resetHref, onlyPasskey, sessionOver, wayOut, error },
      { status: status ?? 200 },
    );
  };

export interface PasswordRouteParts {
  readonly walk: Walk;
  readonly signIn: SignIn;
  readonly interactions: Pick<Interactions, 'decline'>;
  readonly showPassword: ShowPassword;
  readonly metrics: Pick<Metrics, 'login'>;
}

/** Username and password. */
export function passwordRoutes({ walk, signIn, interactions, showPassword, metrics }: PasswordRouteParts): Route[] {
  const { page, form, proceed, retryAfter } = walk;
  return [
    page('password', (here) => {
      showPassword(here);
    }),
    // The person goes back without a login, and the service learns that they do not want to.
    form('password', '/cancel', async (here, fields) => {
      pickFields(fields, []);
      const location = await interactions.decline(here.ctx, here.uid, 'refused');
      if (location === undefined) await proceed(here.ctx, here.attempt);
      else redirect(here.ctx, location);
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
      if (answer.kind === 'accepted') {
        if (answer.isCodeKept === true) leaveNotice(ctx, 'code_kept');
        await proceed(ctx, answer.attempt);
      } else if (answer.kind === 'refused') {
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
  ];
}
