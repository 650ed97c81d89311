import { Refusal } from '../kernel/refusal.js';
import { sameBytes, type KeyedDigest } from '../security/digests.js';
import { CSRF_FIELD } from './pages.js';
import type { PostedFields } from './form.js';
import type { PageContext } from './request.js';

/**
 * Form tokens: a keyed digest of the browser's cookie and the interaction or area the form belongs to, so
 * that a token of one browser or one sign-in is worth nothing in another.
 */
export interface FormTokens {
  issue(ctx: PageContext): string;
  /** Refuses a form that another site sent, or whose token is not of this browser and interaction. */
  require(ctx: PageContext, fields: PostedFields): void;
}

/** Below `/sign-in/<uid>` each interaction has its own tokens; the other pages share theirs. */
const areaOf = (path: string): string => (path.startsWith('/sign-in/') ? path.split('/', 3).join('/') : 'pages');

export function createFormTokens(keyed: KeyedDigest): FormTokens {
  const tokenOf = (ctx: PageContext): Buffer => keyed('form', `${ctx.state.browserId}|${areaOf(ctx.path)}`);
  return {
    issue: (ctx) => tokenOf(ctx).toString('base64url'),
    require(ctx, fields) {
      const site = ctx.get('sec-fetch-site');
      if (site !== '' && site !== 'same-origin') throw new Refusal('csrf_mismatch', { reason: 'other site' });
      const origin = ctx.get('origin');
      if (origin !== '' && origin !== ctx.origin) throw new Refusal('csrf_mismatch', { reason: 'other origin' });
      const sent = Buffer.from(fields.get(CSRF_FIELD) ?? '', 'base64url');
      if (!sameBytes(sent, tokenOf(ctx))) throw new Refusal('csrf_mismatch', { reason: 'token' });
    },
  };
}
