import { epochSeconds } from '../../kernel/clock.js';
import { Refusal } from '../../kernel/refusal.js';
import type { SelfRegistered, SelfRegistration } from '../../clients/self-registration.js';
import { readBody } from '../../web/form.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/** RFC 6750 section 3.1: who has shown nothing is told of no error. */
const challenge = (hasToken: boolean): string =>
  `Bearer realm="registration"${hasToken ? ', error="invalid_token"' : ''}`;

function answer(ctx: PageContext, status: number, body: object): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = JSON.stringify(body);
  ctx.type = 'application/json';
}

function deny(ctx: PageContext, hasToken: boolean): void {
  ctx.set('WWW-Authenticate', challenge(hasToken));
  answer(ctx, 401, { error: 'invalid_token' });
}

/** RFC 7591 section 3.2.1: the metadata as registered, and the secret this once. */
function told({ client, secret, issuedAt }: Extract<SelfRegistered, { kind: 'registered' }>): object {
  const metadata = Object.entries(client).filter(([name]) => name !== 'x' && name !== 'client_secret');
  return {
    ...Object.fromEntries(metadata),
    response_types: client.response_types ?? ['code'],
    client_id_issued_at: epochSeconds(issuedAt),
    // It does not expire.
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
  };
}

async function readJson(ctx: PageContext): Promise<unknown> {
  if (ctx.is('application/json') === false) return undefined;
  try {
    return JSON.parse(await readBody(ctx.req));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Refusal) return undefined;
    throw error;
  }
}

/** `POST <issuer>/oidc/register` (RFC 7591), with an initial access token. There is no management endpoint (ADR 0031). */
export function registrationRoutes(parts: { readonly path: string; readonly registration: SelfRegistration }): Route[] {
  const { path, registration } = parts;
  return [
    {
      method: 'POST',
      path,
      access: 'bearer',
      async handle(ctx) {
        const [, token] = BEARER.exec(ctx.get('authorization')) ?? [];
        if (token === undefined || !(await registration.isInvited(token))) {
          deny(ctx, ctx.get('authorization') !== '');
          return;
        }
        const sent = await readJson(ctx);
        const done = await registration.register({ token, sent, requestId: ctx.state.requestId });
        if (done.kind === 'registered') answer(ctx, 201, told(done));
        else if (done.kind === 'uninvited') deny(ctx, true);
        else answer(ctx, 400, { error: done.error, error_description: done.description });
      },
    },
  ];
}
