import type Koa from 'koa';
import { randomId } from '../security/secrets.js';
import { readCookie, setCookie } from './cookies.js';
import { chooseLocale, type Locale } from './locale.js';
import { queryValue } from './form.js';
import type { RequestState } from './request.js';

const BROWSER = 'browser';
const LANGUAGE = 'lang';
const YEAR_SECONDS = 365 * 24 * 3600;

/** Knows the browser again (a random id in a cookie) and the language its person reads. */
export function knowBrowser(): Koa.Middleware<RequestState> {
  return async (ctx, next) => {
    let id = readCookie(ctx, BROWSER);
    if (id === undefined) {
      id = randomId(16);
      setCookie(ctx, BROWSER, id);
    }
    ctx.state.browserId = id;
    const choose = (asked?: string): Locale =>
      chooseLocale({ asked, remembered: readCookie(ctx, LANGUAGE), acceptLanguage: ctx.get('accept-language') });
    // The page that refuses a malformed query needs a language as well.
    ctx.state.locale = choose();
    const asked = queryValue(ctx, 'lang');
    ctx.state.locale = choose(asked);
    if (asked === 'id' || asked === 'en') setCookie(ctx, LANGUAGE, asked, { maxAgeSeconds: YEAR_SECONDS });
    await next();
  };
}
