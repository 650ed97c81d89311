import { createHash } from 'node:crypto';
import type Koa from 'koa';
import type { ClientRegistry } from '../../clients/client-registry.js';

const sourceOf = (script: string): string => `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

/** A page that is framed, has nothing to show and says one word to who framed it. */
const frame = (script: string): { readonly html: string; readonly source: string } => ({
  html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>SSO</title></head><body><script>${script}</script></body></html>`,
  source: sourceOf(script),
});

/*
 * keycloak-js asks whether our cookies reach a frame on somebody else's page. They do not (SameSite=Lax), and none of
 * our pages can be framed: it then does without frames, and asks by redirect who is signed in (`prompt=none`).
 */
const UNSUPPORTED = frame("parent.postMessage('unsupported','*')");
/** Who looks for changes all the same hears of none here: the next refresh tells the truth. */
const UNCHANGED = frame(
  "addEventListener('message',function(asked){if(asked.source===parent)parent.postMessage('unchanged',asked.origin)})",
);

const FRAMES = {
  '/3p-cookies/step1.html': UNSUPPORTED,
  '/3p-cookies/step2.html': UNSUPPORTED,
  '/login-status-iframe.html': UNCHANGED,
};

/** Where applications with keycloak-js are, and nobody else may frame these pages. */
function framers(registry: Pick<ClientRegistry, 'registrations'>): string {
  const origins = registry
    .registrations()
    .filter(({ x }) => x.keycloak_js === true)
    .flatMap(({ redirect_uris: addresses }) => addresses.map((address) => new URL(address).origin))
    .filter((origin) => origin !== 'null');
  return origins.length === 0 ? "'none'" : [...new Set(origins)].join(' ');
}

/** The helper pages of keycloak-js, below the protocol's path (docs/CONTRACT, Endpoints). */
export function keycloakFrames(base: string, registry: Pick<ClientRegistry, 'registrations'>): Koa.Middleware {
  const frames = new Map(Object.entries(FRAMES).map(([path, page]) => [`${base}${path}`, page]));
  return async (ctx, next) => {
    const page = ctx.method === 'GET' || ctx.method === 'HEAD' ? frames.get(ctx.path) : undefined;
    if (page === undefined) {
      await next();
      return;
    }
    ctx.set(
      'Content-Security-Policy',
      `default-src 'none'; script-src ${page.source}; frame-ancestors ${framers(registry)}; base-uri 'none'; form-action 'none'`,
    );
    // The older word for the same, which knows no list.
    ctx.remove('X-Frame-Options');
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = page.html;
  };
}
