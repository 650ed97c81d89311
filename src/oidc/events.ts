import { errors } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Log } from '../kernel/log.js';
import { requestId } from './request-scope.js';

/** What happened at the protocol endpoints, for metrics and the log. Ids and codes only. */
export type ProviderEvent =
  | { readonly type: 'authorization.succeeded'; readonly clientId: string }
  | { readonly type: 'authorization.refused'; readonly clientId: string | undefined; readonly error: string }
  | { readonly type: 'grant.succeeded'; readonly clientId: string; readonly grantType: string }
  | {
      readonly type: 'grant.refused';
      readonly clientId: string | undefined;
      readonly grantType: string | undefined;
      readonly error: string;
    }
  | { readonly type: 'endpoint.refused'; readonly endpoint: string; readonly error: string };

const clientOf = (ctx: KoaContextWithOIDC): string | undefined => ctx.oidc.client?.clientId;
const grantTypeOf = (ctx: KoaContextWithOIDC): string | undefined => {
  const { grant_type: grantType } = (ctx.oidc.params ?? {}) as { grant_type?: unknown };
  return typeof grantType === 'string' ? grantType : undefined;
};

interface Told {
  readonly error?: string | undefined;
  readonly error_detail?: string | undefined;
}

/** Passes the provider's events on, and writes its refusals and our bugs to the log, with the request id. */
export function reportEvents(
  provider: Provider,
  { log, record }: { log: Log; record: (event: ProviderEvent) => void },
): void {
  const refused = (ctx: KoaContextWithOIDC, error: Error): string => {
    const told = error as Error & Told;
    const code = told.error ?? 'server_error';
    // A device that asks every five seconds is not refused.
    if (code === 'authorization_pending') return code;
    log.info('protocol request refused', {
      request_id: requestId(),
      endpoint: ctx.oidc.route,
      client_id: clientOf(ctx),
      error: code,
      detail: told.error_detail,
    });
    return code;
  };

  provider.on('authorization.success', (ctx) => {
    record({ type: 'authorization.succeeded', clientId: clientOf(ctx) ?? '' });
  });
  provider.on('authorization.error', (ctx, error) => {
    record({ type: 'authorization.refused', clientId: clientOf(ctx), error: refused(ctx, error) });
  });
  provider.on('grant.success', (ctx) => {
    record({ type: 'grant.succeeded', clientId: clientOf(ctx) ?? '', grantType: grantTypeOf(ctx) ?? '' });
  });
  provider.on('grant.error', (ctx, error) => {
    record({
      type: 'grant.refused',
      clientId: clientOf(ctx),
      grantType: grantTypeOf(ctx),
      error: refused(ctx, error),
    });
  });
  const endpointRefused = (ctx: KoaContextWithOIDC, error: Error): void => {
    // Not the last word: structured-tokens.ts answers.
    if (error instanceof errors.UnsupportedTokenType) return;
    record({ type: 'endpoint.refused', endpoint: ctx.oidc.route, error: refused(ctx, error) });
  };
  provider.on('introspection.error', endpointRefused);
  provider.on('revocation.error', endpointRefused);
  provider.on('userinfo.error', endpointRefused);
  provider.on('pushed_authorization_request.error', endpointRefused);
  provider.on('end_session.error', endpointRefused);
  provider.on('device_authorization.error', endpointRefused);
  provider.on('server_error', (ctx, error) => {
    log.error('unexpected error in the provider', {
      request_id: requestId(),
      endpoint: ctx.oidc.route,
      error: error.name,
      detail: error.message,
      stack: error.stack,
    });
  });
}
