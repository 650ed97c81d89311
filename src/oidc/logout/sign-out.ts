import type { KoaContextWithOIDC } from 'oidc-provider';

interface LogoutState {
  readonly postLogoutRedirectUri?: string | undefined;
  readonly state?: string | undefined;
}

/**
 * Who comes to the logout page without a session has nothing to confirm. The provider would answer a page that posts
 * itself by script; ours work without (docs/CONTRACT, Pages). Its checks have passed: the address is registered.
 */
export async function leaveWithoutSession(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
  await next();
  // Read-only: nothing is signed out here.
  if (ctx._matchedRouteName !== 'end_session' || ctx.status !== 200) return;
  const { session } = ctx.oidc;
  if (session === undefined || session.accountId !== undefined) return;
  const { postLogoutRedirectUri, state } = (session.state ?? {}) as LogoutState;
  const target = new URL(postLogoutRedirectUri ?? ctx.oidc.urlFor('end_session_success'));
  if (postLogoutRedirectUri !== undefined && state !== undefined) target.searchParams.append('state', state);
  ctx.redirect(target.href);
  ctx.status = 303;
  ctx.body = '';
}
