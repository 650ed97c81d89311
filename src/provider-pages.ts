import type { ProviderPages } from './oidc/provider/provider-pages.js';
import type { PageWriter } from './web/page.js';
import type { PageContext } from './web/request.js';

/** The provider's own pages, written with our templates. Its context is the one our middleware began. */
export function providerPagesBy(write: PageWriter): ProviderPages {
  const ours = (ctx: unknown): PageContext => ctx as PageContext;
  return {
    error(ctx, { status, error, description, about, service, back }) {
      if (status === 410) write(ours(ctx), 'expired', { cause: 'waited', kept: 'nothing' }, { status });
      else if (status === 429) {
        const retryAfterSeconds = Number(ctx.response.get('retry-after'));
        write(ours(ctx), 'error', { status, error: { code: 'throttled', retryAfterSeconds } }, { status });
      } else {
        const code = status === 404 ? 'not_found' : status < 500 ? 'invalid_input' : 'unavailable';
        write(
          ours(ctx),
          'error',
          { status, error: { code }, oauth: { error, description, about, service }, back },
          { status },
        );
      }
    },
    noAccess(ctx, page) {
      write(ours(ctx), 'no-access', page, { status: 403 });
    },
    signOutConfirm(ctx, page) {
      write(ours(ctx), 'sign-out/confirm', page);
    },
    formPost(ctx, { status, ...page }) {
      write(ours(ctx), 'form-post', page, { status });
    },
    signedOut(ctx, page) {
      write(ours(ctx), 'sign-out/done', page);
    },
    deviceOver(ctx, page) {
      write(ours(ctx), 'device/over', page, { status: 410 });
    },
  };
}
