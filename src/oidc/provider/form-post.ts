import { createHash } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import type { ProviderPages } from './provider-pages.js';

/** The form as our page has it: who presses its button does what the script does. */
export interface ResponseForm {
  readonly action: string;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
}

const SCRIPT = "document.querySelector('main form').submit()";
const HASH = createHash('sha256').update(SCRIPT).digest('base64');

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const plain = (html: string): string =>
  html.replace(/&(amp|lt|gt|quot|#39);/g, (all, name: string) => ENTITIES[name] ?? all);

/** What the provider's own page would post, and where to; undefined for any other page. */
function formIn(body: unknown): ResponseForm | undefined {
  if (typeof body !== 'string' || !body.includes('<title>Submitting Callback</title>')) return undefined;
  const action = /<form method="post" action="([^"]*)">/.exec(body)?.[1];
  if (action === undefined) return undefined;
  const inputs = body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g);
  return {
    action: plain(action),
    fields: [...inputs].map(([, name = '', value = '']) => ({ name, value: plain(value) })),
  };
}

/**
 * The answer of `response_mode=form_post` is a page that posts itself by script (OAuth 2.0 Form Post Response Mode).
 * Ours stands in for the provider's: with a button that is seen, for browsers without scripts. Its policy allows this
 * one script and the way to this client, nothing else.
 */
export function formPostPage(
  registry: ClientRegistry,
  pages: Pick<ProviderPages, 'formPost'>,
): (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => Promise<void> {
  return async (ctx, next) => {
    await next();
    const form = formIn(ctx.body);
    if (form === undefined) return;
    const { name, formOrigins = [] } = registry.find(ctx.oidc.client?.clientId ?? '') ?? {};
    await pages.formPost(ctx, { status: ctx.status, service: name, form });
    ctx.body = String(ctx.body).replace('</body>', () => `<script>${SCRIPT}</script>\n</body>`);
    ctx.set(
      'Content-Security-Policy',
      `default-src 'none'; script-src 'sha256-${HASH}'; style-src 'self'; img-src 'self' data:; ` +
        `form-action 'self' ${formOrigins.join(' ')}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'`,
    );
  };
}
