import { Refusal } from '../kernel/refusal.js';
import { clearCookie, readCookie, setCookie } from '../web/cookies.js';
import { pickFields, queryValue } from '../web/form.js';
import type { PageWriter } from '../web/page.js';
import { redirect } from '../web/redirect.js';
import type { PageContext } from '../web/request.js';
import type { Route } from '../web/route-table.js';
import type { SampleParty } from './sample-party.js';

const LOGIN_SECONDS = 3600;
/** As openid-client makes them; nothing else gets into the name of a cookie. */
const STATE = /^[\w-]{43}$/;

const pathOf = (party: SampleParty): string => `/demo/${party.id}`;

/** Shows values as they stand in the tokens. */
const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The sample relying parties: how a newcomer sees single sign-on. Never in production. */
export function demoRoutes({ parties, write }: { parties: readonly SampleParty[]; write: PageWriter }): Route[] {
  return parties.flatMap((party) => partyRoutes(party, { parties, write }));
}

function partyRoutes(
  party: SampleParty,
  { parties, write }: { parties: readonly SampleParty[]; write: PageWriter },
): Route[] {
  const path = pathOf(party);
  /** Each login has a cookie of its own: two tabs may both be on their way. */
  const loginCookie = (state: string): string => `login-${state}`;
  const session = `demo-${party.id}`;
  const app = { name: party.name, path };
  const others = parties
    .filter(({ id }) => id !== party.id)
    .map((other) => ({ name: other.name, path: pathOf(other) }));

  async function showHome(ctx: PageContext): Promise<void> {
    const secret = readCookie(ctx, session);
    if (secret === undefined) {
      write(ctx, 'demo/home', { app, others });
      return;
    }
    const found = await party.look(secret);
    if (found.kind !== 'signed-in') {
      write(ctx, 'demo/signed-out', { app, others, told: found.kind === 'told' });
      clearCookie(ctx, session);
      return;
    }
    const rows = Object.entries({ ...found.claims.idToken, ...found.claims.userinfo });
    write(ctx, 'demo/signed-in', {
      app,
      others,
      claims: rows.map(([name, value]) => ({ name, value: written(value) })),
    });
  }

  return [
    { method: 'GET', path, access: 'development', handle: showHome },
    {
      method: 'GET',
      path: `${path}/login`,
      access: 'development',
      async handle(ctx) {
        const { location, state } = await party.begin();
        setCookie(ctx, loginCookie(state), 'begun', { path, maxAgeSeconds: LOGIN_SECONDS });
        redirect(ctx, location);
      },
    },
    {
      method: 'GET',
      path: `${path}/callback`,
      access: 'development',
      async handle(ctx) {
        const state = queryValue(ctx, 'state') ?? '';
        // Begun in another browser, or answered already and asked for again by the button *Back*.
        if (!STATE.test(state) || readCookie(ctx, loginCookie(state), path) === undefined) {
          redirect(ctx, path);
          return;
        }
        clearCookie(ctx, loginCookie(state), path);
        // The person went back from the login: the service is where they were.
        if (queryValue(ctx, 'error') === 'access_denied') {
          redirect(ctx, path);
          return;
        }
        try {
          setCookie(ctx, session, await party.complete(new URL(ctx.url, ctx.origin), state));
        } catch (error) {
          throw new Refusal('no_access', { reason: error instanceof Error ? error.message : 'login failed' });
        }
        redirect(ctx, path);
      },
    },
    {
      method: 'POST',
      path: `${path}/logout`,
      access: 'development',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const secret = readCookie(ctx, session);
        clearCookie(ctx, session);
        redirect(ctx, await party.logout(secret ?? ''));
      },
    },
    {
      method: 'POST',
      path: `${path}/backchannel-logout`,
      access: 'signed',
      async handle(ctx, fields) {
        // Section 2.5: further parameters are ignored. Section 2.8: 204, or 400 that says why.
        const taken = await party.takeLogout(fields.get('logout_token') ?? '');
        if (taken) {
          ctx.status = 204;
          return;
        }
        ctx.status = 400;
        ctx.body = { error: 'invalid_request' };
      },
    },
    {
      method: 'GET',
      path: `${path}/signed-out`,
      access: 'development',
      handle(ctx) {
        write(ctx, 'demo/signed-out', { app, others });
      },
    },
  ];
}
