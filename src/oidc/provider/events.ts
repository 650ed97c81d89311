import { errors } from 'oidc-provider';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Carried } from '../../clients/client-use.js';
import type { Log } from '../../kernel/log.js';
import { carriedIn } from '../tokens/carried-claims.js';
import { refusalDetail } from './refusal-detail.js';
import { requestId, requestScope } from '../request-scope.js';

/** What a client was refused: codes, and the provider's own words. */
interface Refused {
  readonly clientId: string | undefined;
  readonly endpoint: string;
  readonly error: string;
  /** Why, in fixed words (refusal-detail.ts). */
  readonly detail: string | undefined;
  readonly requestId: string | undefined;
}

/** What happened at the protocol endpoints, for metrics, the log and the use of clients. Ids and codes only. */
export type ProviderEvent =
  | { readonly type: 'authorization.succeeded'; readonly clientId: string }
  | ({ readonly type: 'authorization.refused' } & Refused)
  | {
      readonly type: 'grant.succeeded';
      readonly clientId: string;
      readonly grantType: string;
      /** The names of the claims in the tokens of the answer. */
      readonly carried: () => Carried;
    }
  | ({ readonly type: 'grant.refused'; readonly grantType: string | undefined } & Refused)
  | ({ readonly type: 'endpoint.refused' } & Refused);

const clientOf = (ctx: KoaContextWithOIDC): string | undefined => ctx.oidc.client?.clientId;
const grantTypeOf = (ctx: KoaContextWithOIDC): string | undefined => {
  const { grant_type: grantType } = (ctx.oidc.params ?? {}) as { grant_type?: unknown };
  return typeof grantType === 'string' ? grantType : undefined;
};

interface Told {
  readonly error?: string | undefined;
  readonly error_description?: string | undefined;
  readonly error_detail?: string | undefined;
}

/** Passes the provider's events on, and writes its refusals and our bugs to the log, with the request id. */
export function reportEvents(
  provider: Provider,
  { log, record }: { log: Log; record: (event: ProviderEvent) => void },
): void {
  const refused = (ctx: KoaContextWithOIDC, error: Error): Refused => {
    const told = error as Error & Told;
    const code = told.error ?? 'server_error';
    const endpoint = ctx.oidc.route;
    const off = ctx.oidc.client === undefined ? requestScope().switchedOff : undefined;
    const clientId = clientOf(ctx) ?? off?.clientId;
    const detail = off !== undefined ? `disabled since ${off.since.toISOString()}` : refusalDetail(told);
    const refusal = { clientId, endpoint, error: code, detail, requestId: requestId() };
    // A device that asks every five seconds is not refused.
    if (code === 'authorization_pending') return refusal;
    log.info('protocol request refused', {
      request_id: requestId(),
      endpoint,
      client_id: clientId,
      error: code,
      detail,
    });
    return refusal;
  };

  provider.on('authorization.success', (ctx) => {
    record({ type: 'authorization.succeeded', clientId: clientOf(ctx) ?? '' });
  });
  provider.on('authorization.error', (ctx, error) => {
    record({ type: 'authorization.refused', ...refused(ctx, error) });
  });
  provider.on('grant.success', (ctx) => {
    const carried = (): Carried => carriedIn(ctx.body);
    record({ type: 'grant.succeeded', clientId: clientOf(ctx) ?? '', grantType: grantTypeOf(ctx) ?? '', carried });
  });
  provider.on('grant.error', (ctx, error) => {
    record({ type: 'grant.refused', grantType: grantTypeOf(ctx), ...refused(ctx, error) });
  });
  const endpointRefused = (ctx: KoaContextWithOIDC, error: Error): void => {
    // Not the last word: structured-tokens.ts answers.
    if (error instanceof errors.UnsupportedTokenType) return;
    record({ type: 'endpoint.refused', ...refused(ctx, error) });
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
