import type { JsonWebKey } from 'node:crypto';
import * as oidc from 'openid-client';
import { randomId } from '../security/secrets.js';
import type { KeyValue } from '../storage/key-value.js';
import { logoutTokens, type ReadLogoutToken } from './logout-token.js';

/** A sample relying party: an ordinary client over HTTP, as any of the fifty others would write it. */
export interface SampleParty {
  readonly id: string;
  readonly name: string;
  /** Begins a login: where to send the browser, and the state it remembers until it comes back with it. */
  begin(): Promise<{ readonly location: string; readonly state: string }>;
  /**
   * Takes the provider's answer to a login that this browser began: code, PKCE, state, nonce, `iss`. Answers the
   * secret of a session of its own.
   */
  complete(callback: URL, state: string): Promise<string>;
  /** Whether it still knows this session. */
  look(session: string): Promise<Look>;
  /**
   * Takes a logout token from the provider and forgets the session that it names. False when the token is not valid
   * or came before (OpenID Connect Back-Channel Logout 1.0, sections 2.6 and 2.7).
   */
  takeLogout(token: string): Promise<boolean>;
  /** Ends its own session and answers where the browser logs out of the provider. */
  logout(session: string): Promise<string>;
}

export type Look =
  | { readonly kind: 'signed-in'; readonly claims: Claims }
  /** The provider told it that the login has ended. */
  | { readonly kind: 'told' }
  /** It has no such session, or the provider says so when asked. */
  | { readonly kind: 'gone' };

export interface Claims {
  readonly idToken: Readonly<Record<string, unknown>>;
  readonly userinfo: Readonly<Record<string, unknown>>;
}

interface Pending {
  readonly codeVerifier: string;
  readonly nonce: string;
}

interface Session {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly sub: string;
}

const PENDING_SECONDS = 3600;
/** As long as any of its sessions lasts. */
const SESSION_SECONDS = 12 * 3600;
/** Longer than any logout token lives, and our clocks differ. */
const LOGOUT_TOKEN_SECONDS = 180;

export interface SamplePartyOptions {
  readonly id: string;
  readonly name: string;
  readonly issuer: URL;
  /** Its private key: it authenticates with `private_key_jwt` (RFC 7523). */
  readonly key: JsonWebKey;
  /** SIASN pushes its requests (RFC 9126). */
  readonly pushesRequests: boolean;
  readonly keyValue: KeyValue;
  /** How long its own session lasts: a service that wants a fresh second factor must not remember one for hours. */
  readonly sessionSeconds?: number | undefined;
}

export function createSampleParty({
  id,
  name,
  issuer,
  key,
  pushesRequests,
  keyValue,
  sessionSeconds = SESSION_SECONDS,
}: SamplePartyOptions): SampleParty {
  const home = `${issuer.origin}/demo/${id}`;
  let discovered: Promise<oidc.Configuration> | undefined;

  async function discover(): Promise<oidc.Configuration> {
    const privateKey = await crypto.subtle.importKey('jwk', key, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
    ]);
    const authentication = oidc.PrivateKeyJwt({ key: privateKey, kid: String(key.kid) });
    // Deprecated only to stand out: this sample talks to itself on this machine, never in production.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    const execute = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
    return oidc.discovery(issuer, id, { id_token_signed_response_alg: 'ES256' }, authentication, { execute });
  }
  const configuration = (): Promise<oidc.Configuration> =>
    (discovered ??= discover().catch((error: unknown) => {
      discovered = undefined;
      throw error;
    }));

  let reading: Promise<ReadLogoutToken> | undefined;
  const logouts = (): Promise<ReadLogoutToken> =>
    (reading ??= configuration().then((config) => {
      const { issuer: name, jwks_uri: jwksUri } = config.serverMetadata();
      return logoutTokens({ issuer: name, clientId: id, jwksUri: new URL(jwksUri ?? '') });
    })).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });

  const keyOf = (kind: 'pending' | 'session' | 'ended' | 'logout', name: string): string =>
    `demo:${id}:${kind}:${name}`;
  const sessionOf = async (secret: string): Promise<Session | undefined> => {
    const stored = await keyValue.get(keyOf('session', secret));
    return stored === undefined ? undefined : (JSON.parse(stored) as Session);
  };

  const keep = (secret: string, session: Session): Promise<void> =>
    keyValue.set(keyOf('session', secret), JSON.stringify(session), sessionSeconds);

  /** The claims, while the access token lives. */
  const ask = async ({ accessToken, sub }: Session): Promise<oidc.UserInfoResponse | undefined> =>
    oidc.fetchUserInfo(await configuration(), accessToken, sub).catch(() => undefined);

  /** Access tokens last ten minutes; the refresh token works until the login is ended at the provider. */
  async function renew(secret: string, session: Session): Promise<oidc.UserInfoResponse | undefined> {
    if (session.refreshToken === undefined) return undefined;
    try {
      const tokens = await oidc.refreshTokenGrant(await configuration(), session.refreshToken);
      const renewed: Session = {
        ...session,
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token ?? session.refreshToken,
      };
      await keep(secret, renewed);
      return await ask(renewed);
    } catch {
      return undefined;
    }
  }

  /** What was kept when the provider told that this session, or all of the person's, ended. */
  async function wasTold({ claims, sub }: Session): Promise<boolean> {
    const { sid, iat } = claims as { sid?: string; iat: number };
    if (sid !== undefined && (await keyValue.get(keyOf('ended', sid))) !== undefined) return true;
    const ended = await keyValue.get(keyOf('ended', sub));
    return ended !== undefined && iat <= Number(ended);
  }

  return {
    id,
    name,

    async begin() {
      const config = await configuration();
      const pending: Pending = { codeVerifier: oidc.randomPKCECodeVerifier(), nonce: oidc.randomNonce() };
      const state = oidc.randomState();
      const parameters = {
        redirect_uri: `${home}/callback`,
        scope: 'openid profile email asn',
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce: pending.nonce,
      };
      const location = pushesRequests
        ? await oidc.buildAuthorizationUrlWithPAR(config, parameters)
        : oidc.buildAuthorizationUrl(config, parameters);
      await keyValue.set(keyOf('pending', state), JSON.stringify(pending), PENDING_SECONDS);
      return { location: location.href, state };
    },

    async complete(callback, state) {
      const stored = await keyValue.take(keyOf('pending', state));
      if (stored === undefined) throw new Error('no login was begun in this browser');
      const pending = JSON.parse(stored) as Pending;
      const tokens = await oidc.authorizationCodeGrant(await configuration(), callback, {
        pkceCodeVerifier: pending.codeVerifier,
        expectedState: state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined || tokens.id_token === undefined) throw new Error('the provider sent no ID token');
      const session: Session = {
        idToken: tokens.id_token,
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
        claims,
        sub: claims.sub,
      };
      const own = randomId();
      await keep(own, session);
      return own;
    },

    async look(secret) {
      const session = await sessionOf(secret);
      if (session === undefined) return { kind: 'gone' };
      const told = await wasTold(session);
      const userinfo = told ? undefined : ((await ask(session)) ?? (await renew(secret, session)));
      if (userinfo !== undefined) return { kind: 'signed-in', claims: { idToken: session.claims, userinfo } };
      await keyValue.delete(keyOf('session', secret));
      return { kind: told ? 'told' : 'gone' };
    },

    async takeLogout(token) {
      const told = await (await logouts())(token);
      if (told === undefined) return false;
      if ((await keyValue.increment(keyOf('logout', told.jti), LOGOUT_TOKEN_SECONDS)) > 1) return false;
      const ended = keyOf('ended', told.sid ?? told.sub ?? '');
      await keyValue.set(ended, String(told.issuedAtSeconds), SESSION_SECONDS);
      return true;
    },

    async logout(secret) {
      const session = await sessionOf(secret);
      await keyValue.delete(keyOf('session', secret));
      return oidc.buildEndSessionUrl(await configuration(), {
        post_logout_redirect_uri: `${home}/signed-out`,
        ...(session === undefined ? {} : { id_token_hint: session.idToken }),
      }).href;
    },
  };
}
