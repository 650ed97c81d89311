import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { AddressRates } from '../../throttle/address-rates.js';
import { STRANGER_QUOTAS, type Quota } from '../../throttle/policies.js';
import { currentRequest } from '../request-scope.js';

/** What anybody can make us keep, before a person or a client has proved anything: by the endpoint where it begins. */
const BEGINNINGS = new Map<string, { readonly model: string; readonly quota: Quota }>([
  ['authorization', { model: 'Interaction', quota: STRANGER_QUOTAS.login }],
  ['pushed_authorization_request', { model: 'PushedAuthorizationRequest', quota: STRANGER_QUOTAS.pushed }],
  ['device_authorization', { model: 'DeviceCode', quota: STRANGER_QUOTAS.device }],
]);

/** Longest parameters of a request together; a signed request and the wished claims have limits of their own. */
const MAX_PARAMETERS = 4 * 1024;
const OWN_LIMITS = new Map([
  ['claims', 4 * 1024],
  ['request', 12 * 1024],
]);

function requireModestParameters({ oidc }: KoaContextWithOIDC): void {
  let total = 0;
  for (const [name, value] of Object.entries(
    (oidc.params ?? {}) as Readonly<Record<string, string | string[] | undefined>>,
  )) {
    const length = Buffer.byteLength([value ?? ''].flat().join(' '));
    const limit = OWN_LIMITS.get(name);
    if (limit === undefined) total += length;
    else if (length > limit) throw new errors.InvalidRequest(`${name} is too long`);
  }
  if (total > MAX_PARAMETERS) throw new errors.InvalidRequest('the parameters are too long');
}

/** Answered with 429 to a client and on a page: nobody is sent anywhere. */
const tooMany = (): Error =>
  Object.assign(new errors.TemporarilyUnavailable('too many requests from this address, try again later'), {
    status: 429,
    statusCode: 429,
    expose: true,
    allow_redirect: false,
  });

/** Who has proved something here: a person that is logged in, or a client by its secret or key. */
function isStranger(model: string, { oidc }: KoaContextWithOIDC): boolean {
  if (model === 'Interaction') return oidc.session?.accountId === undefined;
  return oidc.client?.clientAuthMethod === 'none';
}

/**
 * To be asked before a model is kept for the first time: what strangers send is kept while it is modest in size and
 * number. Throws what the client or the person is told.
 */
export async function admitStranger(rates: AddressRates, model: string): Promise<void> {
  const ctx = currentRequest();
  const beginning = BEGINNINGS.get(ctx?.oidc.route ?? '');
  if (ctx === undefined || beginning?.model !== model) return;
  requireModestParameters(ctx);
  if (!isStranger(model, ctx)) return;
  const { address } = ctx.state as { address?: unknown };
  const seconds = await rates.take(beginning.quota, typeof address === 'string' ? address : ctx.ip);
  if (seconds === undefined) return;
  ctx.set('Retry-After', String(seconds));
  throw tooMany();
}
