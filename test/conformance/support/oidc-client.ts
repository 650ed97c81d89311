import { expect } from '@jest/globals';
import type { JWTPayload } from 'jose';
import {
  callbackOf,
  logInIfAsked,
  random,
  type Answer,
  type Suite,
  type SuiteClient,
  type Tokens,
  type Visit,
} from './suite.js';

export type ResponseMode = 'default' | 'form_post';

type Parameters = Readonly<Record<string, string | undefined>>;

/** A client of the plans Basic OP and Form Post OP, which sends what the suite's would. */
export interface OidcClient {
  readonly clientId: string;
  /** The address of an authorization request; a parameter that is undefined is left out. */
  request(parameters?: Parameters): URL;
  /** Opens it, in the browser of the visit. */
  open(visit: Visit, parameters?: Parameters): Promise<void>;
  /** Opens it and logs in when asked; what comes back is a success. */
  authorize(visit: Visit, parameters?: Parameters): Promise<Authorization>;
  /** What came back; it must have. */
  callback(visit: Visit): URLSearchParams;
  redeem(code: string): Promise<Answer>;
  refresh(refreshToken: string): Promise<Answer>;
  /** From the request to the verified claims. */
  logIn(visit: Visit, parameters?: Parameters): Promise<Login>;
}

export interface Authorization {
  readonly code: string;
  /** Whether the person was asked for anything. */
  readonly asked: boolean;
}

export interface Login extends Authorization {
  readonly tokens: Tokens;
  readonly claims: JWTPayload & { readonly auth_time: number };
}

interface Options {
  readonly mode: ResponseMode;
  readonly method: 'client_secret_basic' | 'client_secret_post';
}

export function oidcClient(suite: Suite, client: SuiteClient, { mode, method }: Options): OidcClient {
  const { client_id: clientId, client_secret: secret } = client;
  const redirectUri = suite.redirectUri(clientId);
  let state = '';
  let nonce = '';

  const askToken = (form: Record<string, string>): Promise<Answer> =>
    method === 'client_secret_basic'
      ? suite.post(suite.metadata.token_endpoint, form, {
          authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
        })
      : suite.post(suite.metadata.token_endpoint, { ...form, client_id: clientId, client_secret: secret });

  const self: OidcClient = {
    clientId,
    request(parameters = {}) {
      state = random();
      nonce = random();
      const all: Parameters = {
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: 'openid',
        state,
        nonce,
        response_type: 'code',
        response_mode: mode === 'default' ? undefined : mode,
        ...parameters,
      };
      const url = new URL(suite.metadata.authorization_endpoint);
      for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
      return url;
    },
    async open(visit, parameters) {
      await visit.browser.get(self.request(parameters).href);
    },
    callback(visit) {
      const callback = callbackOf(visit, redirectUri);
      if (callback === undefined) {
        throw new Error(`nothing came back, but ${String(visit.browser.shown.page)} ${visit.browser.shown.html}`);
      }
      expect(callback.get('iss')).toBe(suite.metadata.issuer);
      expect(callback.get('state')).toBe(state);
      // In the mode that was asked for: by form the address holds nothing.
      expect(visit.browser.shown.url.href.startsWith(redirectUri)).toBe(mode === 'default');
      return callback;
    },
    async authorize(visit, parameters) {
      await self.open(visit, parameters);
      const asked = await logInIfAsked(suite, visit);
      const callback = self.callback(visit);
      expect([...callback.keys()].sort()).toEqual(['code', 'iss', 'state']);
      return { code: callback.get('code') ?? '', asked };
    },
    redeem: (code) => askToken({ grant_type: 'authorization_code', code, redirect_uri: redirectUri }),
    refresh: (refreshToken) => askToken({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    async logIn(visit, parameters = {}) {
      const authorization = await self.authorize(visit, parameters);
      const answer = await self.redeem(authorization.code);
      expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: expect.any(Number) } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const tokens = answer.body as unknown as Tokens;
      const { payload, protectedHeader } = await suite.verify(tokens.id_token, clientId);
      expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: expect.any(String) });
      expect(payload).toMatchObject({ sub: visit.person.id, auth_time: expect.any(Number) });
      expect(payload.nonce).toBe('nonce' in parameters ? parameters.nonce : nonce);
      return { ...authorization, tokens, claims: payload as Login['claims'] };
    },
  };
  return self;
}
