import { join } from 'node:path';
import type { RequestListener } from 'node:http';
import { createDeviceRegistry } from './account/devices/registry.js';
import { deviceRoutes } from './account/devices/routes.js';
import { createAddPasskey } from './account/passkeys/add-passkey.js';
import { passkeyRoutes } from './account/passkeys/routes.js';
import { createApp } from './app.js';
import type { Services } from './container.js';
import { createSampleParty } from './demo/sample-party.js';
import { demoRoutes } from './demo/routes.js';
import { adminRoutes } from './helpdesk/routes.js';
import { createLocalOutbox, type LocalOutbox } from './mail/local-outbox.js';
import { localMailRoutes } from './mail/routes.js';
import { rolesOf } from './accounts/roles.js';
import { adminTokens } from './oidc/admin-tokens.js';
import { clientRegistry } from './oidc/client-registry.js';
import { loadClients } from './oidc/clients.js';
import { providerInteractions } from './oidc/interactions.js';
import { loadSigningKeys } from './oidc/keys.js';
import { ownLogin as createOwnLogin } from './oidc/own-login.js';
import { createProvider } from './oidc/provider.js';
import { createPageSessions } from './portal/page-sessions.js';
import { portalPeople, portalRoutes } from './portal/routes.js';
import { createPasswordChange } from './reset/password-change.js';
import { createPasswordReset } from './reset/password-reset.js';
import { resetRoutes } from './reset/routes.js';
import { createWeakPasswordReset } from './reset/weak-password-reset.js';
import { createFirstEnrolment } from './sign-in/first-enrolment.js';
import { createMailboxProof } from './sign-in/mailbox-proof.js';
import { createPasskeySignIn } from './sign-in/passkey-sign-in.js';
import { signInRoutes } from './sign-in/routes.js';
import { createSecondFactor } from './sign-in/second-factor.js';
import { createSignIn } from './sign-in/sign-in.js';
import { createWayBack } from './sign-in/way-back.js';
import { createWeakPassword } from './sign-in/weak-password.js';
import { captchas as createCaptchas } from './captcha/captchas.js';
import { VIEWS } from './container.js';
import { providerPagesBy } from './provider-pages.js';
import { createFormTokens } from './web/csrf.js';
import { servedOrigins } from './web/origin.js';
import { pageWriter } from './web/page.js';
import type { Route } from './web/route-table.js';
import { createViews } from './web/views.js';

/** The registrations in the clients file cannot be used. */
export class ClientsRefused extends Error {
  constructor(problems: readonly { client: string; field: string; problem: string }[]) {
    super(problems.map(({ client, field, problem }) => `${client} ${field} ${problem}`).join('; '));
    this.name = 'ClientsRefused';
  }
}

/** Everything that answers on the public listener. */
export interface Site {
  readonly listener: RequestListener;
  /** Every route with who may call it: the authorization and CSRF tests walk this table. */
  readonly routes: readonly Route[];
  /** Where mail goes when no SMTP server is set. */
  readonly localOutbox: LocalOutbox | undefined;
}

/** Builds the site over the services: provider, pages, API. */
export async function buildSite(services: Services): Promise<Site> {
  const { config, db, clock, log, audit, keyed, box, keyValue, accountMail, codes, devices, otp, wrongCodes } =
    services;
  const { passwords, passwordCheck, knownBrowsers, endSessions, enrolment, passkeys, recoveryCodes, tickets } =
    services;
  const { metrics } = services;
  const cookieKeys = config.cookieKeys.all.map(({ bytes }) => bytes.toString('base64'));
  const adminResource = `${config.adminOrigin}/api/admin`;

  const loaded = await loadClients(config.clientsFile, {
    issuer: config.issuer,
    adminResource,
    production: config.production,
    demoSecret: config.demo ? keyed('demo clients', config.issuerText) : undefined,
  });
  if (loaded.kind === 'refused') throw new ClientsRefused(loaded.problems);
  const registry = clientRegistry(loaded.clients, { issuer: config.issuer, name: services.brand.portal });

  const tokens = createFormTokens(keyed);
  const write = pageWriter({ views: createViews({ directory: VIEWS }), tokens, brand: services.brand, clock });
  const origins = servedOrigins({
    issuer: config.issuer,
    adminOrigin: config.adminOrigin,
    allowedHosts: config.allowedHosts,
  });

  const openid = await createProvider({
    db,
    clock,
    audit,
    log,
    issuer: config.issuerText,
    origins,
    endpointStyle: config.endpointStyle,
    registry,
    keys: await loadSigningKeys({ db, box, clock, audit }),
    cookieKeys,
    adminResource,
    pages: providerPagesBy(write),
    record: metrics.protocol,
  });
  const { issuerText: issuer, endpointStyle } = config;
  const interactions = providerInteractions({ provider: openid.provider, db, clock, registry, issuer, endpointStyle });
  const ownLogin = createOwnLogin({ db, clock, issuer, endpointStyle });

  const mailboxProof = createMailboxProof({ codes, accountMail, audit, keyed, clock });
  const signIn = createSignIn({
    db,
    passwordCheck,
    enrolment,
    tickets,
    mailboxProof,
    interactions,
    audit,
    clock,
  });
  const passwordChange = createPasswordChange({ endSessions, codes, tickets, accountMail, audit, clock });
  const captchas = createCaptchas({ keyValue, clock, testAnswer: config.captchaTestAnswer });

  const localOutbox =
    config.smtpUrl === undefined ? createLocalOutbox({ folder: join(config.dataDir, 'mail') }) : undefined;
  const samples = [...loaded.demoKeys].map(([id, key]) =>
    createSampleParty({
      id,
      key,
      name: registry.find(id)?.name ?? id,
      issuer: config.issuer,
      pushesRequests: registry.registration(id)?.require_pushed_authorization_requests === true,
      keyValue,
    }),
  );

  const sessions = createPageSessions({ db, ownLogin, endSessions, audit, clock });
  const people = portalPeople(sessions);
  const routes: Route[] = [
    ...portalRoutes({
      sessions,
      people,
      services: {
        ofPerson: async (account) =>
          registry.servicesFor(
            account,
            (await rolesOf(db, account.id)).map(({ role }) => role),
          ),
      },
      write,
    }),
    ...deviceRoutes({
      registry: createDeviceRegistry({ db, devices, recoveryCodeSets: services.recoveryCodeSets }),
      write,
    }),
    ...passkeyRoutes({
      addPasskey: createAddPasskey({ db, devices, passkeys, endSessions, accountMail, audit, clock }),
      write,
    }),
    ...signInRoutes({
      signIn,
      secondFactor: createSecondFactor({
        db,
        otp,
        guesses: services.guesses,
        recoveryCodes,
        wrongCodes,
        audit,
        keyed,
        clock,
      }),
      passkeySignIn: createPasskeySignIn({ db, passkeys, accountMail, audit, clock }),
      firstEnrolment: createFirstEnrolment({
        db,
        devices,
        enrolment,
        recoveryCodes,
        wrongCodes,
        codes,
        mailboxProof,
        accountMail,
        audit,
        box,
        clock,
      }),
      weakPassword: createWeakPassword({ db, passwords, endSessions, codes, accountMail, audit, clock }),
      interactions,
      relyingParties: registry,
      knownBrowsers,
      write,
      metrics,
      clock,
    }),
    ...resetRoutes({
      passwordReset: createPasswordReset({
        db,
        captchas,
        codes,
        devices,
        otp,
        wrongCodes,
        passwords,
        passwordChange,
        accountMail,
        audit,
        keyed,
        clock,
        requiresOtp: config.resetRequiresOtp,
      }),
      weakPasswordReset: createWeakPasswordReset({
        db,
        passwordCheck,
        devices,
        otp,
        wrongCodes,
        passwords,
        passwordChange,
        audit,
      }),
      captchas,
      wayBack: createWayBack({ db, relyingParties: registry, clock }),
      knownBrowsers,
      keyed,
      write,
      metrics,
      clock,
      showsEmailHint: config.resetEmailHint === 'masked',
    }),
    ...adminRoutes({
      mfaReset: services.mfaReset,
      tokens: { verify: adminTokens({ db, clock, registry, adminResource }) },
      adminHost: new URL(config.adminOrigin).host,
      clock,
    }),
    ...(localOutbox !== undefined && !config.production ? localMailRoutes({ outbox: localOutbox, write }) : []),
    ...(config.demo ? demoRoutes({ parties: samples, write }) : []),
  ];

  const app = createApp({
    origins,
    cookieKeys,
    trustedProxies: config.trustedProxies,
    assets: join(VIEWS, 'assets'),
    routes,
    openid,
    tokens,
    people,
    write,
    observe: (seen) => {
      metrics.httpRequest(seen);
    },
    log,
    clock,
  });
  const answer = app.callback();
  return { listener: (req, res) => void answer(req, res), routes, localOutbox };
}
