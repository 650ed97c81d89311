import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type Koa from 'koa';
import type Provider from 'oidc-provider';
import { mountPath, type Endpoints } from '../endpoints.js';

/** A relying party may keep the key set and the discovery document this long. */
const MAX_AGE_SECONDS = 300;

interface Parts {
  readonly provider: Provider;
  /** The provider at its path. */
  readonly mounted: Koa.Middleware;
  readonly issuer: URL;
  readonly endpoints: Endpoints;
}

/** What the provider itself answers at one of its public addresses, asked at the issuer's origin. */
async function ask({ provider, mounted, issuer }: Parts, path: string): Promise<object> {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = path;
  request.headers.host = issuer.host;
  const ctx = provider.createContext(request, new ServerResponse(request));
  await mounted(ctx, () => Promise.resolve());
  if (typeof ctx.body !== 'object' || ctx.body === null) throw new Error(`the provider has nothing at ${path}`);
  return ctx.body;
}

const asJson = (document: object): Buffer => Buffer.from(JSON.stringify(document));

/** RFC 8414 section 3.2: what has no values is left out. */
const withoutEmpty = (metadata: object): object =>
  Object.fromEntries(Object.entries(metadata).filter(([, value]) => !Array.isArray(value) || value.length > 0));

/**
 * Discovery in both forms (OpenID Connect Discovery 1.0, RFC 8414) and the key set, made once and served as they are:
 * four times cheaper than letting the provider make them, and nothing in a request can change them.
 */
export async function metadataDocuments(parts: Parts): Promise<Koa.Middleware> {
  const mount = mountPath(parts.issuer);
  const discovery = asJson(withoutEmpty(await ask(parts, `${mount}/.well-known/openid-configuration`)));
  const jwks = asJson(await ask(parts, `${mount}${parts.endpoints.jwks}`));
  const documents = new Map([
    [`${mount}/.well-known/openid-configuration`, discovery],
    [`/.well-known/oauth-authorization-server${mount}`, discovery],
    [`${mount}${parts.endpoints.jwks}`, jwks],
  ]);

  return async (ctx, next) => {
    const document = ctx.method === 'GET' || ctx.method === 'HEAD' ? documents.get(ctx.path) : undefined;
    if (document === undefined) {
      await next();
      return;
    }
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
    // Public for every page of every origin: browser clients read both.
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    ctx.type = 'application/json; charset=utf-8';
    ctx.body = document;
  };
}
