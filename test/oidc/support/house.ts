import { openInProcess } from '#src/storage/in-process.js';
import { createAddressRates } from '#src/throttle/address-rates.js';
import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { decodeJwt, importJWK, SignJWT, type JWTPayload } from 'jose';
import Koa from 'koa';
import { createAudit } from '#src/audit/audit.js';
import { createAccount } from '#src/accounts/accounts.js';
import type { EndSessions } from '#src/accounts/end-sessions.js';
import type { Nip } from '#src/accounts/nip.js';
import { systemClock } from '#src/kernel/clock.js';
import { agencyCode, attemptId, type AccountId } from '#src/kernel/ids.js';
import type { Log } from '#src/kernel/log.js';
import { Refusal } from '#src/kernel/refusal.js';
import type { LiveClientRegistry } from '#src/clients/client-registry.js';
import { adminResourceOf } from '#src/clients/admin-resource.js';
import { adminTokens, type VerifyAdminToken } from '#src/oidc/tokens/admin-tokens.js';
import { registryOf, testDigests } from '../../clients/support/registry.js';
import { OWN_CLIENT_IDS, type ClientRegistration } from '#src/clients/client-schema.js';
import { entryOf } from '#src/clients/client-secrets.js';
import { parseClients } from '#src/clients/clients-file.js';
import { createEndSessions } from '#src/oidc/logout/end-sessions.js';
import type { EndpointStyle } from '#src/oidc/endpoints.js';
import type { ProviderEvent } from '#src/oidc/provider/events.js';
import { providerInteractions } from '#src/oidc/login/interactions.js';
import { loadSigningKeys } from '#src/oidc/keys/keys.js';
import { createLiveProvider, type LiveProvider } from '#src/oidc/provider/live-provider.js';
import { BACKCHANNEL_LOGOUT, createLogoutNotices, type PartySession } from '#src/oidc/logout/logout-notices.js';
import type { MutualTlsParts } from '#src/oidc/clients/mutual-tls.js';
import { ownLogin } from '#src/oidc/login/own-login.js';
import { createProvider } from '#src/oidc/provider/provider.js';
import { createSubjects, type Subjects } from '#src/oidc/tokens/subjects.js';
import { createOutbox, sealContext } from '#src/outbox/outbox.js';
import type { OwnLogin } from '#src/portal/own-login.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createReachable } from '#src/security/reachable.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Interactions, SignInResult } from '#src/sign-in/interactions.js';
import type { Database } from '#src/storage/database.js';
import { DatabaseUnavailable, openPostgres } from '#src/storage/postgres.js';
import { fixOrigin, requireKnownHost, servedOrigins } from '#src/web/origin.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { Browser, type Answer } from './browser.js';
import { keyOf, registrations, SECRET } from './registrations.js';

export const KEYED = createKeyedDigest(Buffer.alloc(32, 3));
export const BOX = createSealedBox(parseKeyRing(`test:${Buffer.alloc(32, 1).toString('base64')}`));

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Request {
  readonly clientId: string;
  /** Added to, or with undefined taken from, the usual parameters. */
  readonly params?: Readonly<Record<string, string | undefined>>;
}

export interface Asked extends Request {
  readonly browser: Browser;
}

/** A running provider on a database of its own, with a sign-in page that believes what it is told. */
export class House {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  readonly #empty: TestDatabase | undefined;
  readonly db: Database;
  readonly url: string;
  readonly issuer: string;
  readonly openid: LiveProvider;
  readonly interactions: Interactions;
  readonly own: OwnLogin;
  readonly verifyAdminToken: VerifyAdminToken;
  readonly adminResource: string;
  readonly subjects: Subjects;
  /** Changes as it does when an operator changes a client. */
  readonly registry: LiveClientRegistry;
  /** Every statement since it was last emptied. */
  readonly statements: string[];
  readonly events: ProviderEvent[];
  readonly endSessions: EndSessions;
  readonly log: LogLine[];

  private constructor(parts: {
    server: Server;
    port: number;
    empty: TestDatabase | undefined;
    db: Database;
    url: string;
    issuer: string;
    openid: LiveProvider;
    interactions: Interactions;
    own: OwnLogin;
    verifyAdminToken: VerifyAdminToken;
    adminResource: string;
    subjects: Subjects;
    registry: LiveClientRegistry;
    statements: string[];
    events: ProviderEvent[];
    endSessions: EndSessions;
    log: LogLine[];
  }) {
    this.#server = parts.server;
    this.#port = parts.port;
    this.#empty = parts.empty;
    this.db = parts.db;
    this.url = parts.url;
    this.issuer = parts.issuer;
    this.openid = parts.openid;
    this.interactions = parts.interactions;
    this.own = parts.own;
    this.verifyAdminToken = parts.verifyAdminToken;
    this.adminResource = parts.adminResource;
    this.subjects = parts.subjects;
    this.registry = parts.registry;
    this.statements = parts.statements;
    this.events = parts.events;
    this.endSessions = parts.endSessions;
    this.log = parts.log;
  }

  static async open(
    options: {
      issuer?: string;
      style?: EndpointStyle;
      url?: string;
      connections?: number;
      /** Stands between the provider and its database. */
      through?: (db: Database) => Database;
      /** Clients beside those that every house has. */
      clients?: readonly object[];
      /** As a proxy hands certificates over, and what is believed of them. */
      mutualTls?: MutualTlsParts;
    } = {},
  ): Promise<House> {
    const { issuer = 'https://sso.asn.example', style = 'standard' } = options;
    const empty = options.url === undefined ? await createTestDatabase() : undefined;
    const url = options.url ?? empty?.url ?? '';
    const statements: string[] = [];
    const db = openPostgres({
      url,
      maxConnections: options.connections ?? 10,
      onIdleError: () => undefined,
      onStatement: (text) => statements.push(text),
    });
    const audit = createAudit(systemClock);
    const events: ProviderEvent[] = [];
    const lines: LogLine[] = [];
    const line =
      (level: string) =>
      (message: string, fields = {}): void => {
        lines.push({ level, message, fields });
      };
    const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };

    const issuerUrl = new URL(issuer);
    const adminResource = adminResourceOf(issuerUrl.origin);
    const loaded = parseClients([...registrations(adminResource), ...(options.clients ?? [])], {
      issuer: issuerUrl,
      adminResource,
      production: false,
      demoSecret: undefined,
      mutualTls: options.mutualTls && { authorities: options.mutualTls.authorities !== undefined },
    });
    if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems));
    const registry = registryOf(loaded.clients, {
      issuer: issuerUrl,
      name: 'ASN Digital',
      console: { origin: issuerUrl.origin, name: 'Helpdesk SSO ASN' },
    });
    const subjects = createSubjects({ keyed: KEYED, registry });
    const origins = servedOrigins({ issuer: issuerUrl, adminOrigin: issuerUrl.origin, allowedHosts: ['sso.internal'] });
    const cookieKeys = ['first cookie key', 'second cookie key'];
    const notices = createLogoutNotices({ outbox: createOutbox({ box: BOX, clock: systemClock }), registry });
    const rates = createAddressRates({ keyValue: openInProcess(systemClock), keyed: KEYED, clock: systemClock });
    const endSessions = createEndSessions({ notices });
    const providerDb = options.through?.(db) ?? db;
    const openid = await createLiveProvider({
      loadKeys: () => loadSigningKeys({ db, box: BOX, clock: systemClock, audit }),
      build: (keys) =>
        createProvider({
          db: providerDb,
          clock: systemClock,
          audit,
          log,
          issuer,
          origins,
          endpointStyle: style,
          registry,
          keys,
          cookieKeys,
          adminResource,
          reachable: createReachable({ privateHosts: [], allowsLoopback: true }),
          mutualTls: options.mutualTls,
          subjects,
          pages: {
            error: (ctx, page) => {
              ctx.status = page.status;
              ctx.body = `<main data-page="error">${JSON.stringify(page)}</main>`;
            },
            noAccess: (ctx, page) => {
              ctx.body = `<main data-page="no-access">${JSON.stringify(page)}</main>`;
            },
            signOutConfirm: (ctx, page) => {
              ctx.body = `<main data-page="sign-out/confirm">${JSON.stringify(page)}</main>`;
            },
            formPost: (ctx, { form, service, status }) => {
              const fields = form.fields.map(({ name, value }) => `<input name="${name}" value="${value}">`).join('');
              ctx.status = status;
              ctx.type = 'html';
              ctx.body = `<body data-page="form-post"><h1>${String(service)}</h1><form method="post" action="${form.action}">${fields}</form></body>`;
            },
            signedOut: (ctx, page) => {
              ctx.body = `<main data-page="sign-out/done">${JSON.stringify(page)}</main>`;
            },
            deviceOver: (ctx, page) => {
              ctx.body = `<main data-page="device/over">${JSON.stringify(page)}</main>`;
            },
          },
          record: (event) => events.push(event),
          notices,
          keyed: KEYED,
          rates,
        }),
      clock: systemClock,
      log,
    });
    const interactions = providerInteractions({
      openid,
      db: providerDb,
      clock: systemClock,
      registry,
      endSessions,
      issuer,
      endpointStyle: style,
    });

    const app = new Koa();
    app.keys = cookieKeys;
    app.silent = true;
    fixOrigin(app, origins);
    app.use(async (ctx, next) => {
      ctx.set('x-request-id', 'request-1');
      try {
        await next();
      } catch (error) {
        // As the error boundary of the whole program does.
        const away = error instanceof DatabaseUnavailable;
        if (error instanceof Refusal) ctx.status = error.status;
        else ctx.status = away ? 503 : 500;
        if (!(error instanceof Refusal) && !away) {
          log.error('unexpected error', { request_id: 'request-1', detail: (error as Error).message });
        }
        ctx.body = `{"error":"${error instanceof Refusal ? error.code : away ? 'temporarily_unavailable' : 'server_error'}"}`;
      }
    });
    app.use(requireKnownHost(origins));
    app.use(openid.metadata);
    app.use(standInSignIn(interactions));
    app.use(openid.endpoints);

    const answer = app.callback();
    const server = createServer((req, res) => void answer(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new House({
      server,
      port: (server.address() as AddressInfo).port,
      empty,
      db,
      url,
      issuer,
      openid,
      interactions,
      own: ownLogin({
        db,
        clock: systemClock,
        issuer,
        endpointStyle: style,
        pages: 'portal',
        origin: issuerUrl.origin,
      }),
      registry,
      verifyAdminToken: adminTokens({ db, clock: systemClock, registry, adminResource }),
      adminResource,
      subjects,
      statements,
      events,
      endSessions,
      log: lines,
    });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.db.close();
    await this.#empty?.drop();
  }

  browser(): Browser {
    return new Browser(this.#port, this.#agent);
  }

  /** Relying parties that are to be told of a logout, oldest first; each is answered once. */
  async notices(): Promise<PartySession[]> {
    const rows = await this.db.query('DELETE FROM outbox WHERE kind = $1 RETURNING id, payload, created_at', [
      BACKCHANNEL_LOGOUT,
    ]);
    const queued = rows.toSorted((a, b) => (a.created_at as Date).getTime() - (b.created_at as Date).getTime());
    return queued.map(({ id, payload }) => {
      const opened = BOX.open(payload as string, sealContext(id as string)).toString();
      return JSON.parse(opened) as PartySession;
    });
  }

  address(endpoint: string): string {
    return `${this.issuer}${endpoint}`;
  }

  async person(overrides: { employment?: 'PNS' | 'PPPK' } = {}): Promise<AccountId> {
    await this.db.query(
      `INSERT INTO agencies (code, name, ancestors, updated_at) VALUES ('3300', 'Kota Contoh', '{3300}', $1)
       ON CONFLICT DO NOTHING`,
      [new Date()],
    );
    const nip = `19800101201001${String(randomInt(1000, 9999))}` as Nip;
    const created = await createAccount(this.db, {
      account: {
        nip,
        name: 'Siti Rahayu',
        email: 'siti@mail.example',
        employment: overrides.employment ?? 'PNS',
        agencyCode: agencyCode('3300'),
        status: 'active',
      },
      now: new Date(),
    });
    if (created.kind !== 'created') return this.person(overrides);
    await this.db.query('UPDATE accounts SET activated_at = $2 WHERE id = $1', [created.id, new Date()]);
    return created.id;
  }

  /** The address of an authorization request with a fresh verifier. */
  request({ clientId, params = {} }: Request): { url: URL; verifier: string; redirectUri: string } {
    const verifier = randomBytes(32).toString('base64url');
    const all: Record<string, string | undefined> = {
      client_id: clientId,
      redirect_uri: `https://${clientId}.example/cb`,
      response_type: 'code',
      scope: 'openid profile email asn',
      state: 'state-1',
      nonce: 'nonce-1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...params,
    };
    const url = new URL(this.address('/oidc/auth'));
    for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
    return { url, verifier, redirectUri: all.redirect_uri ?? '' };
  }

  /** Follows redirects on our own origin; stops at a page or at another origin. */
  async follow(browser: Browser, url: URL | string): Promise<Answer> {
    let answer = await browser.call(url);
    while (answer.location?.origin === new URL(this.issuer).origin) answer = await browser.call(answer.location);
    return answer;
  }

  /** Tells the sign-in page of an interaction who it is; answers where the browser is sent. */
  async signIn(browser: Browser, page: URL, result: Partial<SignInResult> & { accountId: AccountId }): Promise<Answer> {
    const authenticatedAt = (result.authenticatedAt ?? new Date()).toISOString();
    return browser.call(page, { body: JSON.stringify({ ...result, authenticatedAt }) });
  }

  /** An authorization request as `account`, signing in when asked; the answer is the one at the client. */
  async authorize(asked: Asked & { account: AccountId }): Promise<Answer & { verifier: string; redirectUri: string }> {
    const { url, verifier, redirectUri } = this.request(asked);
    let answer = await this.toSignIn(asked.browser, url);
    if (answer.location?.pathname.startsWith('/sign-in/') === true) {
      answer = await this.signIn(asked.browser, answer.location, { accountId: asked.account });
      if (answer.location !== undefined) answer = await this.follow(asked.browser, answer.location);
    }
    return { ...answer, verifier, redirectUri };
  }

  /** Follows redirects up to the sign-in page, a page of ours or the client. */
  async toSignIn(browser: Browser, url: URL): Promise<Answer> {
    let answer = await browser.call(url);
    while (
      answer.location?.origin === new URL(this.issuer).origin &&
      !answer.location.pathname.startsWith('/sign-in/')
    ) {
      answer = await browser.call(answer.location);
    }
    return answer;
  }

  /** A code for `account` at a client. */
  async code(asked: Asked & { account: AccountId }): Promise<{ code: string; verifier: string; redirectUri: string }> {
    const answer = await this.authorize(asked);
    const code = answer.location?.searchParams.get('code');
    if (typeof code !== 'string') throw new Error(`no code: ${answer.status} ${answer.location?.href ?? answer.body}`);
    return { code, verifier: answer.verifier, redirectUri: answer.redirectUri };
  }

  /** What a client sends to prove itself. */
  async credentials(clientId: string): Promise<{ headers: Record<string, string>; form: Record<string, string> }> {
    switch (this.registry.registration(clientId)?.token_endpoint_auth_method) {
      case 'client_secret_basic':
        return {
          headers: { authorization: `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString('base64')}` },
          form: {},
        };
      case 'client_secret_post':
        return { headers: {}, form: { client_id: clientId, client_secret: SECRET } };
      case 'none':
        return { headers: {}, form: { client_id: clientId } };
      case 'private_key_jwt':
      case undefined:
        return { headers: {}, form: assertionFields(await this.assertion(clientId)) };
      case 'self_signed_tls_client_auth':
      case 'tls_client_auth':
        throw new Error(`the certificate of ${clientId} is elsewhere`);
    }
  }

  async assertion(clientId: string, overrides: JWTPayload = {}, header: { alg?: string } = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const key = await importJWK(keyOf(clientId) as Parameters<typeof importJWK>[0], 'ES256');
    return new SignJWT({
      iss: clientId,
      sub: clientId,
      aud: this.issuer,
      iat: now,
      exp: now + 60,
      jti: randomUUID(),
      ...overrides,
    })
      .setProtectedHeader({ alg: 'ES256', ...header })
      .sign(key);
  }

  /** A call of an endpoint at which clients prove themselves. */
  async post(endpoint: string, clientId: string, fields: Record<string, string>): Promise<Answer> {
    const { headers, form } = await this.credentials(clientId);
    return this.browser().call(this.address(endpoint), {
      method: 'POST',
      headers: { accept: 'application/json', ...headers },
      form: { ...form, ...fields },
    });
  }

  redeem(
    clientId: string,
    { code, verifier, redirectUri }: { code: string; verifier: string; redirectUri: string },
  ): Promise<Answer> {
    return this.post('/oidc/token', clientId, {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
    });
  }

  refresh(clientId: string, refreshToken: string): Promise<Answer> {
    return this.post('/oidc/token', clientId, { grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  userinfo(accessToken: string): Promise<Answer> {
    return this.browser().call(this.address('/oidc/userinfo'), {
      headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
    });
  }

  async isActive(clientId: string, token: string): Promise<boolean> {
    const answer = await this.post('/oidc/introspect', clientId, { token });
    return (JSON.parse(answer.body) as { active: boolean }).active;
  }

  /** Signs in at a client and redeems the code. */
  async tokens(asked: Asked & { account: AccountId }): Promise<Tokens> {
    return tokensOf(await this.redeem(asked.clientId, await this.code(asked)));
  }

  /** What an endpoint at which clients prove themselves says of a token. */
  async introspect(clientId: string, token: string): Promise<Record<string, unknown>> {
    return JSON.parse((await this.post('/oidc/introspect', clientId, { token })).body) as Record<string, unknown>;
  }

  /** Changes a registration while everything runs; undefined takes it away. Answers how to put it back. */
  change(clientId: string, changed: (registration: ClientRegistration) => ClientRegistration | undefined): () => void {
    const own = new Set(OWN_CLIENT_IDS);
    const all = this.registry.registrations().filter(({ client_id: id }) => !own.has(id));
    const put = (registrations: readonly ClientRegistration[]): void => {
      // The registry tells no secrets; all here have the same.
      const whole = registrations.map((each) =>
        each.token_endpoint_auth_method.startsWith('client_secret') ? { ...each, client_secret: SECRET } : each,
      );
      this.registry.replace(whole.map((each) => entryOf(each, testDigests)));
    };
    put(all.flatMap((each) => (each.client_id === clientId ? (changed(each) ?? []) : [each])));
    return () => {
      put(all);
    };
  }

  async rows(table: string, condition = 'true'): Promise<number> {
    const [row] = await this.db.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${condition}`);
    return Number(row?.n);
  }

  async audited(type: string): Promise<number> {
    return this.rows('audit_events', `type = '${type}'`);
  }
}

export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
  readonly scope: string;
  readonly token_type: string;
  readonly expires_in: number;
}

export function tokensOf(answer: Answer): Tokens {
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body) as Tokens;
}

export const claimsOf = (jwt: string): JWTPayload => decodeJwt(jwt);

/** The OAuth error of a redirect, a JSON answer or a page. */
export const errorOf = (answer: Answer): string | undefined =>
  answer.location?.searchParams.get('error') ?? /"error":"(\w+)"/.exec(answer.body)?.[1];

export const assertionFields = (assertion: string): Record<string, string> => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: assertion,
});

/** Moves every clock of this process; timers keep running. */
export function setTime(at: Date): void {
  jest.useFakeTimers({
    now: at,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
}

export const resetTime = (): void => {
  jest.useRealTimers();
};

/** `POST /sign-in/:uid` with the result as JSON. */
function standInSignIn(interactions: Interactions): Koa.Middleware {
  return async (ctx, next) => {
    const uid = /^\/sign-in\/([\w-]+)$/.exec(ctx.path)?.[1];
    if (uid === undefined) {
      await next();
      return;
    }
    if (ctx.method === 'GET') {
      ctx.body = 'sign in';
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) chunks.push(chunk);
    const told = JSON.parse(Buffer.concat(chunks).toString()) as Partial<SignInResult> & {
      accountId: AccountId;
      authenticatedAt: string;
    };
    const location = await interactions.finish(ctx, attemptId(uid), {
      acr: 'urn:asn:aal2',
      amr: ['pwd', 'otp', 'mfa'],
      credEpoch: 0,
      buildsOnSession: false,
      ...told,
      authenticatedAt: new Date(told.authenticatedAt),
    });
    if (location === undefined) ctx.status = 410;
    else {
      ctx.status = 303;
      ctx.set('Location', location);
    }
    ctx.body = '';
  };
}
