import type { Clock } from '../kernel/clock.js';
import { greetBrowser } from './browser.js';
import type { FormTokens } from './csrf.js';
import { SCRIPTED, type Brand, type PageName, type Pages, type Shell, type ShownPerson } from './pages.js';
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
}

export function pageWriter(parts: { views: Views; tokens: FormTokens; brand: Brand; clock: Clock }): PageWriter {
  return (ctx, page, data, options = {}) => {
    greetBrowser(ctx);
    const shell: Shell = {
      locale: ctx.state.locale,
      csrf: parts.tokens.issue(ctx),
      path: ctx.path,
      now: parts.clock.now(),
      brand: parts.brand,
      person: options.person,
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
