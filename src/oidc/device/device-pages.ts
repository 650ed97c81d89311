import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { NoAccess } from '../login/policy.js';
import { DeviceAnswered } from './device-code-adapter.js';

/** Why a device's question cannot be answered any more. */
export type DeviceProblem = 'expired' | 'answered' | 'gone';

type Flow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** Where our own pages for devices are (docs/CONTRACT, Pages). */
export const DEVICE_PAGES = '/device';

const seeOther = (ctx: KoaContextWithOIDC, path: string): void => {
  ctx.redirect(path);
  ctx.status = 303;
  ctx.body = '';
};

/** The provider has left a secret in the session, for a form that we do not show. */
function dropForm(ctx: KoaContextWithOIDC): void {
  const session = ctx.oidc.session as { state?: unknown; exp?: number; touched?: boolean } | undefined;
  if (session === undefined) return;
  session.state = undefined;
  // Of a browser without a login no session was kept, and there is nothing to keep now.
  if (session.exp === undefined) session.touched = false;
}

/** By their names: the provider keeps these classes to itself. */
const problemOf = (error: Error): DeviceProblem | undefined => {
  if (error instanceof DeviceAnswered || error.name === 'AlreadyUsedError') return 'answered';
  if (error.name === 'ExpiredError') return 'expired';
  return error.name === 'NotFoundError' ? 'gone' : undefined;
};

/**
 * Where the provider leads a person at the end of a device's passage. Its forms are not used: their pages are in the
 * route table like all others, and the endpoint that takes them is shut (provider.ts).
 */
export function devicePages(
  pages: { deviceOver(ctx: KoaContextWithOIDC, page: { cause: DeviceProblem }): void | Promise<void> },
  renderError: NonNullable<Configuration['renderError']>,
): Required<Pick<Flow, 'userCodeInputSource' | 'successSource' | 'userCodeConfirmSource'>> {
  return {
    async userCodeInputSource(ctx, _form, out, error) {
      dropForm(ctx);
      if (error === undefined) {
        seeOther(ctx, DEVICE_PAGES);
        return;
      }
      const problem = problemOf(error);
      if (problem !== undefined) {
        await pages.deviceOver(ctx, { cause: problem });
      } else if (error.name === 'AbortedError') {
        if (error.cause instanceof NoAccess) await renderError(ctx, { error: 'access_denied' }, error.cause);
        else seeOther(ctx, `${DEVICE_PAGES}/refused`);
      } else if (error instanceof errors.SessionNotFound) {
        // A double tap, or the way back: the page knows what became of it.
        seeOther(ctx, `${DEVICE_PAGES}/${encodeURIComponent(String((ctx.params as { uid?: string }).uid))}`);
      } else {
        await renderError(ctx, out ?? { error: 'server_error' }, error);
      }
    },
    successSource(ctx) {
      seeOther(ctx, `${DEVICE_PAGES}/done`);
    },
    userCodeConfirmSource() {
      throw new Error('the form of the provider is shut');
    },
  };
}
