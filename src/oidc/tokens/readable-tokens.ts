import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { epochSeconds, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Subjects } from './subjects.js';

/*
 * keycloak-js takes every token for a JWT, splits it at the dots and reads the second part: when it ends, whose it is,
 * which session. Clients that are registered for it (`x.keycloak_js`) therefore get `<token>.<what it reads>`. The
 * first part is the token as everybody has it; the second is a note for the application and nobody believes it
 * (ADR 0029).
 */

type Registry = Pick<ClientRegistry, 'registration'>;

const isReader = (registry: Registry, clientId: string): boolean =>
  registry.registration(clientId)?.x.keycloak_js === true;

/** The token that was offered, and whether it had a note on it. */
export function withoutNote(offered: string): { readonly token: string; readonly hasNote: boolean } {
  const end = offered.indexOf('.');
  return end < 0 ? { token: offered, hasNote: false } : { token: offered.slice(0, end), hasNote: true };
}

/** Whether a client may offer its tokens with a note. */
export const mayNote = (registry: Registry, clientId: string | undefined): boolean =>
  isReader(registry, clientId ?? '');

interface Parts {
  readonly registry: Registry;
  readonly subjects: Subjects;
  readonly issuer: string;
  readonly clock: Clock;
}

interface TokenAnswer {
  access_token?: string;
  refresh_token?: string;
}

const noted = (token: string, note: object): string =>
  `${withoutNote(token).token}.${Buffer.from(JSON.stringify(note)).toString('base64url')}`;

/** Puts the notes on what the token endpoint answers to these clients, and lets their origin read it. */
export function readableTokens({ registry, subjects, issuer, clock }: Parts) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    await next();
    const { route, client, entities } = (ctx.oidc as KoaContextWithOIDC['oidc'] | undefined) ?? {};
    if (client === undefined || !isReader(registry, client.clientId)) return;
    if (route !== 'token') return;
    const answer = ctx.body as TokenAnswer;
    // It asks with cookies, of which this endpoint reads none; the origin has been compared with the registration.
    if (ctx.res.hasHeader('Access-Control-Allow-Origin')) ctx.set('Access-Control-Allow-Credentials', 'true');

    const { AccessToken: access, RefreshToken: refresh } = entities ?? {};
    if (access === undefined || typeof answer.access_token !== 'string') return;
    const iat = epochSeconds(clock.now());
    const common = {
      iss: issuer,
      sub: subjects.at(client.clientId, access.accountId as AccountId),
      azp: client.clientId,
      sid: access.sid,
      iat,
    };
    // One for a resource is a JWT already.
    if (access.aud === undefined) {
      answer.access_token = noted(answer.access_token, {
        ...common,
        typ: 'Bearer',
        scope: access.scope,
        exp: iat + access.expiration,
      });
    }
    if (typeof answer.refresh_token === 'string') {
      const exp = iat + (refresh?.remainingTTL ?? 0);
      answer.refresh_token = noted(answer.refresh_token, { ...common, typ: 'Refresh', exp });
    }
  };
}
