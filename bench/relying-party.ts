/** What a relying party says to the endpoints. */
import { createHash, randomBytes } from 'node:crypto';
import type { Answer, Visitor } from '../test/support/visitor.js';
import { CALLBACK, SECRET } from './server.js';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

export type ClientId = 'first' | 'second' | 'agency';

const basic = (client: ClientId): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}`,
});

const expectOk = (answer: Answer): Answer => {
  if (answer.status === 200) return answer;
  throw new Error(`${answer.path}: ${answer.status} ${answer.body}`);
};

/** A new authorization request, and what redeems its code. */
export function authorization(client: ClientId): { readonly path: string; readonly verifier: string } {
  const verifier = randomBytes(32).toString('base64url');
  const params = new URLSearchParams({
    client_id: client,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid profile',
    state: randomBytes(8).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return { path: `/oidc/auth?${params.toString()}`, verifier };
}

/** Redeems the code in the redirect that ended an authorization request. */
export async function redeem(
  channel: Visitor,
  { answer, verifier, client }: { answer: Answer; verifier: string; client: ClientId },
): Promise<Tokens> {
  const code = URL.parse(answer.location ?? '')?.searchParams.get('code');
  if (code === null || code === undefined) {
    throw new Error(`no code: ${answer.path} ${answer.status} ${String(answer.page)} ${answer.errors.join()}`);
  }
  const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier };
  return JSON.parse(expectOk(await channel.ask('/oidc/token', { form, headers: basic(client) })).body) as Tokens;
}

export async function refresh(channel: Visitor, { refresh_token: token }: Tokens): Promise<Tokens> {
  const form = { grant_type: 'refresh_token', refresh_token: token };
  return JSON.parse(expectOk(await channel.ask('/oidc/token', { form, headers: basic('first') })).body) as Tokens;
}

export async function userinfo(channel: Visitor, { access_token: token }: Tokens): Promise<void> {
  expectOk(await channel.ask('/oidc/userinfo', { headers: { authorization: `Bearer ${token}` } }));
}

export async function introspect(channel: Visitor, { access_token: token }: Tokens): Promise<void> {
  const form = { token, token_type_hint: 'access_token' };
  const { body } = expectOk(await channel.ask('/oidc/introspect', { form, headers: basic('first') }));
  if (!(JSON.parse(body) as { active: boolean }).active) throw new Error('the token is not active');
}

export async function clientCredentials(channel: Visitor): Promise<void> {
  expectOk(await channel.ask('/oidc/token', { form: { grant_type: 'client_credentials' }, headers: basic('agency') }));
}
