import type Koa from 'koa';
import { randomId } from '../security/secrets.js';
import { clearCookie, readCookie, setCookie } from './cookies.js';
import { chooseLocale, firstSpoken } from './locale.js';
import type { PageContext, RequestState } from './request.js';

const BROWSER = 'browser';
const LANGUAGE = 'lang';
/** Of the login under way: what the service asked for, as long as a login may take. */
const REQUESTED_LANGUAGE = 'ui_lang';
const HOUR_SECONDS = 3600;
const YEAR_SECONDS = 365 * 24 * 3600;

/** Knows the browser again (a random id in a cookie) and the language its person reads. */
export function knowBrowser(): Koa.Middleware<RequestState> {
  return async (ctx, next) => {
    const id = readCookie(ctx, BROWSER);
    ctx.state.isNewBrowser = id === undefined;
    ctx.state.browserId = id ?? randomId(16);
    // Asked twice is not asked: refusing is not for here, an error page needs a language too.
    const asked = typeof ctx.query.lang === 'string' ? ctx.query.lang : undefined;
    ctx.state.locale = chooseLocale({
      asked,
      remembered: readCookie(ctx, LANGUAGE),
      requested: readCookie(ctx, REQUESTED_LANGUAGE),
      acceptLanguage: ctx.get('accept-language'),
    });
    await next();
  };
}

/**
 * Gives the browser its id and remembers the language it asked for. Called where a page is written and nowhere else:
 * a public, cacheable or machine-to-machine answer carries no cookie.
 */
export function greetBrowser(ctx: PageContext): void {
  if (ctx.state.isNewBrowser) setCookie(ctx, BROWSER, ctx.state.browserId);
  const { lang } = ctx.query;
  if (lang === 'id' || lang === 'en') setCookie(ctx, LANGUAGE, lang, { maxAgeSeconds: YEAR_SECONDS });
}

/** Speaks the language that a service asked for (`ui_locales`), until somebody comes by another one. */
export function followService(ctx: PageContext, uiLocales: string | undefined): void {
  const locale = uiLocales === undefined ? undefined : firstSpoken(uiLocales);
  if (locale !== undefined) setCookie(ctx, REQUESTED_LANGUAGE, locale, { maxAgeSeconds: HOUR_SECONDS });
  else if (readCookie(ctx, REQUESTED_LANGUAGE) !== undefined) clearCookie(ctx, REQUESTED_LANGUAGE);
}
