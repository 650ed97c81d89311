import type { Clock } from '../kernel/clock.js';
import { greetBrowser } from './browser.js';
import type { FormTokens } from './csrf.js';
import type { Origins } from './origin.js';
import {
  SCRIPTED,
  type Brand,
  type PageName,
  type Pages,
  type Shell,
  type ShownOfficer,
  type ShownPerson,
} from './pages.js';
import type { PageContext } from './request.js';
import type { Views } from './views.js';

/** What routes hand their data to: renders a page as the answer, 200 unless told otherwise. */
export type PageWriter = <Name extends PageName>(
  ctx: PageContext,
  page: Name,
  data: Pages[Name],
  options?: PageOptions,
) => void;

export interface PageOptions {
  readonly status?: number;
  readonly person?: ShownPerson;
  readonly officer?: ShownOfficer;
}

export function pageWriter(parts: {
  views: Views;
  tokens: FormTokens;
  brand: Brand;
  origins: Origins;
  clock: Clock;
}): PageWriter {
  const { issuer, isConsoleOnly } = parts.origins;
  return (ctx, page, data, options = {}) => {
    greetBrowser(ctx);
    // Its links lead to the portal, and its forms may be led to the login on the way.
    const portalOrigin = isConsoleOnly(ctx) ? issuer.origin : undefined;
    if (portalOrigin !== undefined) ctx.state.formOrigins.push(portalOrigin);
    const shell: Shell = {
      locale: ctx.state.locale,
      csrf: parts.tokens.issue(ctx),
      path: ctx.path,
      now: parts.clock.now(),
      brand: parts.brand,
      person: options.person,
      officer: options.officer,
      portalOrigin,
      requestId: ctx.state.requestId,
    };
    ctx.state.isScripted = SCRIPTED.has(page);
    ctx.status = options.status ?? 200;
    ctx.type = 'text/html; charset=utf-8';
    ctx.set('Content-Language', ctx.state.locale);
    ctx.vary('Accept-Language');
    ctx.body = parts.views.render(page, data, shell);
  };
}
