import { Refusal } from '../kernel/refusal.js';
import { sameBytes, type KeyedDigest } from '../security/digests.js';
import { CSRF_FIELD } from './pages.js';
import type { PostedFields } from './form.js';
import type { PageContext } from './request.js';

/** A page that was opened while its person's second factor was fresh, and until when its forms count as fresh. */
export interface FreshForm {
  readonly sessionUid: string;
  /** The path of the page. */
  readonly page: string;
  readonly until: Date;
}

/**
 * Form tokens: a keyed digest of the browser's cookie and the interaction or area the form belongs to, so
 * that a token of one browser or one sign-in is worth nothing in another. On a page that was opened with a fresh factor
 * they go on with `.<until>.<mac>`, which nobody but that session and page can use.
 */
export interface FormTokens {
  issue(ctx: PageContext): string;
  /** Refuses a form that another site sent, or whose token is not of this browser and interaction. */
  require(ctx: PageContext, fields: PostedFields): void;
  /** Until when a form counts as fresh, as its token says for this session and page. */
  freshUntil(ctx: PageContext, fields: PostedFields, place: Omit<FreshForm, 'until'>): Date | undefined;
}

/** Below `/sign-in/<uid>` each interaction has its own tokens; the other pages share theirs. */
const areaOf = (path: string): string => (path.startsWith('/sign-in/') ? path.split('/', 3).join('/') : 'pages');

const partsOf = (fields: PostedFields): string[] => (fields.get(CSRF_FIELD) ?? '').split('.');

export function createFormTokens(keyed: KeyedDigest): FormTokens {
  const tokenOf = (ctx: PageContext): Buffer => keyed('form', `${ctx.state.browserId}|${areaOf(ctx.path)}`);
  const macOf = (ctx: PageContext, { sessionUid, page, until }: FreshForm): Buffer =>
    keyed('fresh form', [ctx.state.browserId, sessionUid, page, until.getTime()].join('|'));
  return {
    issue(ctx) {
      const token = tokenOf(ctx).toString('base64url');
      const { freshForm } = ctx.state;
      if (freshForm === undefined) return token;
      return [token, freshForm.until.getTime(), macOf(ctx, freshForm).toString('base64url')].join('.');
    },
    require(ctx, fields) {
      const site = ctx.get('sec-fetch-site');
      if (site !== '' && site !== 'same-origin') throw new Refusal('csrf_mismatch', { reason: 'other site' });
      const origin = ctx.get('origin');
      if (origin !== '' && origin !== ctx.origin) throw new Refusal('csrf_mismatch', { reason: 'other origin' });
      const [token = ''] = partsOf(fields);
      const sent = Buffer.from(token, 'base64url');
      if (!sameBytes(sent, tokenOf(ctx))) throw new Refusal('csrf_mismatch', { reason: 'token' });
    },
    freshUntil(ctx, fields, place) {
      const [, time = '', mac = ''] = partsOf(fields);
      if (!/^\d{1,15}$/.test(time)) return undefined;
      const until = new Date(Number(time));
      return sameBytes(Buffer.from(mac, 'base64url'), macOf(ctx, { ...place, until })) ? until : undefined;
    },
  };
}
