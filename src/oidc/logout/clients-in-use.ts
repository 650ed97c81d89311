import { decodeJwt } from 'jose';
import type { Middleware } from 'koa';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { omit } from '../storage/changes.js';

const ABOUT_CLIENT = ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state'];

/** For whom a hint was made, unverified; undefined when it is none. */
function audienceOf(hint: string): string | undefined {
  try {
    const { aud } = decodeJwt(hint);
    return typeof aud === 'string' ? aud : undefined;
  } catch {
    return undefined;
  }
}

/**
 * People log out whatever became of the service that sends them (OpenID Connect RP-Initiated Logout section 4): a
 * request of a client that is disabled, gone or unknown counts as one without a client. It is asked about, and leads
 * nowhere but to our own page.
 */
export function onlyOfClientsInUse(path: string, registry: ClientRegistry): Middleware {
  return async (ctx, next) => {
    if (ctx.path === path || ctx.path === `${path}/success`) {
      const { id_token_hint: hint, client_id: clientId } = ctx.query;
      const named = [typeof hint === 'string' ? audienceOf(hint) : undefined, clientId];
      const isOver = (id: unknown): boolean =>
        typeof id === 'string' && id !== '' && registry.registration(id) === undefined;
      if (named.some(isOver)) ctx.query = omit(ctx.query, ABOUT_CLIENT) as typeof ctx.query;
    }
    await next();
  };
}
