import type { Middleware } from 'koa';
import { omit } from '../storage/changes.js';

/** A JWE has five parts, of which we can read the first only (RFC 7516 section 3.1). */
const isEncrypted = (hint: unknown): boolean => typeof hint === 'string' && hint.split('.').length === 5;

/**
 * A client whose ID tokens are encrypted has to send the signed token inside as the hint (OpenID Connect RP-Initiated
 * Logout section 2). One that is still encrypted tells us nothing, and is taken for none: the person is asked.
 */
export function withoutEncryptedHint(path: string): Middleware {
  return async (ctx, next) => {
    if (ctx.path === path && isEncrypted(ctx.query.id_token_hint)) {
      ctx.query = omit(ctx.query, ['id_token_hint']) as typeof ctx.query;
    }
    await next();
  };
}
