import { createHash } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistry } from '../clients/client-registry.js';

/**
 * The answer of `response_mode=form_post` is a page of the provider that posts itself by script (OAuth 2.0 Form Post
 * Response Mode). Its policy allows this one script and the way to this client, nothing else.
 */
export function formPostPolicy(
  registry: ClientRegistry,
): (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => Promise<void> {
  return async (ctx, next) => {
    await next();
    const script = typeof ctx.body === 'string' ? /<script>([^]*?)<\/script>/.exec(ctx.body)?.[1] : undefined;
    if (script === undefined) return;
    const hash = createHash('sha256').update(script).digest('base64');
    const { formOrigins = [] } = registry.find(ctx.oidc.client?.clientId ?? '') ?? {};
    ctx.set(
      'Content-Security-Policy',
      `default-src 'none'; script-src 'sha256-${hash}'; form-action 'self' ${formOrigins.join(' ')}; ` +
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
    );
  };
}
