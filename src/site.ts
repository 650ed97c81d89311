import { join } from 'node:path';
import type { RequestListener } from 'node:http';
import { contactRoutes } from './account/contact/routes.js';
import { disavowalRoutes } from './account/disavowal/routes.js';
import { sessionRoutes } from './account/sessions/routes.js';
import { createSessions } from './account/sessions/sessions.js';
import { createActivity } from './account/activity/activity.js';
import { tell } from './account/activity/tellings.js';
import { activityRoutes } from './account/activity/routes.js';
import { freezeRoutes } from './account/freeze/routes.js';
import { createMyData } from './account/my-data/my-data.js';
import { dataRoutes } from './account/my-data/routes.js';
import { createOwnPassword } from './account/password/own-password.js';
import { passwordRoutes } from './account/password/routes.js';
import { createLimitedCodes } from './device-login/limited-codes.js';
import { deviceLoginRoutes } from './device-login/routes.js';
import { createDeviceChanges } from './account/devices/changes.js';
import { createDeviceRegistry } from './account/devices/registry.js';
import { deviceRoutes } from './account/devices/routes.js';
import { createAddPasskey } from './account/passkeys/add-passkey.js';
import { passkeyRoutes } from './account/passkeys/routes.js';
import { createNewApp } from './account/new-app/new-app.js';
import { newAppRoutes } from './account/new-app/routes.js';
import { createOwnChange } from './account/own-change.js';
import { createCodeRenewal } from './account/recovery-codes/renewal.js';
import { recoveryCodeRoutes } from './account/recovery-codes/routes.js';
import { createApp } from './app.js';
import type { Services } from './container.js';
import { createSampleParty } from './demo/sample-party.js';
import { demoRoutes } from './demo/routes.js';
import { clientCalls } from './helpdesk/relying-parties/client-calls.js';
import { createClientPeopleDesk } from './helpdesk/relying-parties/people-desk.js';
import { createOperators } from './helpdesk/relying-parties/operators.js';
import { clientRoutes } from './helpdesk/console/pages/clients.js';
import { clientPeopleRoutes } from './helpdesk/console/pages/client-people.js';
import { developerRoutes } from './portal/developer/routes.js';
import { createClientDesk } from './helpdesk/relying-parties/client-desk.js';
import { createSelfRegistration } from './clients/self-registration.js';
import { ENDPOINTS, mountPath } from './oidc/endpoints.js';
import { registrationRoutes } from './oidc/clients/registration-routes.js';
import { createClientErrors } from './clients/client-errors.js';
import { actCalls } from './helpdesk/act-calls.js';
import { trailCalls } from './helpdesk/trail/calls.js';
import { watchCalls } from './helpdesk/watch-calls.js';
import { createConsole } from './helpdesk/console/console.js';
import { actRoutes } from './helpdesk/console/pages/acts.js';
import { appointmentRoutes } from './helpdesk/console/pages/appointments.js';
import { approvalRoutes } from './helpdesk/console/pages/approvals.js';
import { activationRoutes } from './helpdesk/console/pages/activation.js';
import { homeRoutes } from './helpdesk/console/pages/home.js';
import { createSlipSheet } from './helpdesk/slips/slip-sheet.js';
import { createUnitSlips } from './helpdesk/slips/unit-slips.js';
import { consoleOfficers } from './helpdesk/console/pages/officers.js';
import { personRoutes } from './helpdesk/console/pages/person.js';
import { trailRoutes } from './helpdesk/console/pages/trail.js';
import { createPresenceCheck } from './helpdesk/console/presence-check.js';
import { createCursors } from './helpdesk/api/cursor.js';
import { deskCalls } from './helpdesk/desk/calls.js';
import { createDesk } from './helpdesk/desk/create-desk.js';
import { createGrants } from './helpdesk/desk/grants.js';
import { createIdempotency } from './helpdesk/idempotency.js';
import { createFeedDesk } from './helpdesk/personnel-feed.js';
import { personnelFeedCalls } from './helpdesk/personnel-feed-calls.js';
import { adminRoutes } from './helpdesk/routes.js';
import { createLocalOutbox, type LocalOutbox } from './mail/local-outbox.js';
import { localMailRoutes } from './mail/routes.js';
import { getById } from './accounts/accounts.js';
import { createNewPassword } from './accounts/new-password.js';
import { rolesOf } from './accounts/roles.js';
import { adminTokens } from './oidc/tokens/admin-tokens.js';
import { noteUse } from './oidc/provider/client-use-events.js';
import { deviceRequests } from './oidc/device/device-requests.js';
import { providerInteractions } from './oidc/login/interactions.js';
import { loadSigningKeys } from './oidc/keys/keys.js';
import { createLiveProvider, type LiveProvider } from './oidc/provider/live-provider.js';
import { createLogoutDelivery, LOGOUT_TIMEOUT_MS } from './oidc/logout/logout-delivery.js';
import { createSubjects } from './oidc/tokens/subjects.js';
import { createOpenSessions } from './oidc/logout/open-sessions.js';
import { ownLogin as createOwnLogin } from './oidc/login/own-login.js';
import { createProvider } from './oidc/provider/provider.js';
import { adminResourceOf } from './clients/admin-resource.js';
import type { OutboxHandler } from './outbox/worker.js';
import type { OwnPages } from './portal/own-login.js';
import { createPageSessions } from './portal/page-sessions.js';
import { createPageLogins } from './portal/pages/page-logins.js';
import { portalRoutes } from './portal/routes.js';
import { createPasswordChange } from './reset/password-change.js';
import { createEitherCode } from './mfa/either-code.js';
import { selfResetRoutes } from './reset/mfa/routes.js';
import { createSelfReset } from './reset/mfa/self-reset.js';
import { certificateHosts, loadMutualTls } from './mutual-tls.js';
import { createPasswordReset } from './reset/password-reset.js';
import { slipRoutes } from './reset/slip/routes.js';
import { createSlipActivation } from './reset/slip/slip-activation.js';
import { resetRoutes } from './reset/routes.js';
import { createWeakPasswordReset } from './reset/weak-password-reset.js';
import { createFirstEnrolment } from './sign-in/first-enrolment.js';
import { createMailboxProof } from './sign-in/mailbox-proof.js';
import { createPasskeySignIn } from './sign-in/passkey-sign-in.js';
import { createPresenceSignIn } from './sign-in/presence.js';
import { signInRoutes } from './sign-in/routes.js';
import { createSecondFactor } from './sign-in/second-factor.js';
import { createSignIn } from './sign-in/sign-in.js';
import { createWayBack } from './sign-in/way-back.js';
import { createWeakPassword } from './sign-in/weak-password.js';
import { captchas as createCaptchas } from './captcha/captchas.js';
import { VIEWS } from './container.js';
import { providerPagesBy } from './provider-pages.js';
import { createAddressRates } from './throttle/address-rates.js';
import { createMailsAfterPassword } from './throttle/mails-after-password.js';
import { createFormPost } from './security/outbound-form.js';
import { createReachable } from './security/reachable.js';
import { agentOf } from './web/agent.js';
import { createFormTokens } from './web/csrf.js';
import { servedOrigins } from './web/origin.js';
import { pageWriter } from './web/page.js';
import type { Route } from './web/route-table.js';
import { loadTranslators, timesIn } from './web/locale.js';
import { createViews } from './web/views.js';

/** Everything that answers on the public listener. */
export interface Site {
  readonly listener: RequestListener;
  /** Every route with who may call it: the authorization and CSRF tests walk this table. */
  readonly routes: readonly Route[];
  /** Where mail goes when no SMTP server is set. */
  readonly localOutbox: LocalOutbox | undefined;
  /** Tells relying parties of sessions that ended. */
  readonly deliverLogout: OutboxHandler;
  /** Serves with the signing keys of the moment. */
  readonly signingKeys: Pick<LiveProvider, 'follow' | 'start' | 'stop'>;
}

/** Builds the site over the services: provider, pages, API. */
export async function buildSite(services: Services): Promise<Site> {
  const { config, db, clock, log, audit, keyed, box, keyValue, accountMail, codes, devices, otp, wrongCodes } =
    services;
  const { passwords, passwordCheck, knownBrowsers, endSessions, enrolment, recoveryCodes, tickets, metrics } = services;
  const { guesses, ownReset, passkeys, waitingResets, recoveryCodeSets } = services;
  const eitherCode = createEitherCode({ otp, guesses, recoveryCodes, wrongCodes, accountMail, audit, clock });
  const cookieKeys = config.cookieKeys.all.map(({ bytes }) => bytes.toString('base64'));
  const { registry, notices } = services;
  const adminResource = adminResourceOf(config.adminOrigin);

  const tokens = createFormTokens(keyed);
  const texts = loadTranslators(join(VIEWS, 'locales'));
  const origins = servedOrigins({
    issuer: config.issuer,
    adminOrigin: config.adminOrigin,
    allowedHosts: [...config.allowedHosts, ...certificateHosts(config)],
  });
  const write = pageWriter({
    views: createViews({ directory: VIEWS, translators: texts }),
    tokens,
    brand: services.brand,
    origins,
    clock,
  });

  const reachable = createReachable({
    privateHosts: config.backchannelPrivateHosts,
    allowsLoopback: !config.production,
  });
  const mutualTls = await loadMutualTls(config, clock);
  const subjects = createSubjects({ keyed, registry });
  const rates = createAddressRates({ keyValue, keyed, clock });
  const openid = await createLiveProvider({
    loadKeys: () => loadSigningKeys({ db, box, clock, audit }),
    build: (keys) =>
      createProvider({
        db,
        clock,
        audit,
        log,
        issuer: config.issuerText,
        origins,
        endpointStyle: config.endpointStyle,
        registry,
        keys,
        cookieKeys,
        adminResource,
        reachable,
        mutualTls,
        subjects,
        pages: providerPagesBy(write),
        record: (event) => {
          metrics.protocol(event);
          noteUse(services.clientUse, event);
        },
        notices,
        keyed,
        rates,
      }),
    clock,
    log,
  });
  const { issuerText: issuer, endpointStyle } = config;
  const interactions = providerInteractions({
    openid,
    db,
    clock,
    registry,
    endSessions,
    issuer,
    endpointStyle,
  });

  const deviceLogins = deviceRequests({
    openid,
    db,
    clock,
    registry,
    keyed,
    issuer,
    endpointStyle,
  });

  const mailboxProof = createMailboxProof({
    codes,
    mails: createMailsAfterPassword({ keyed, knownBrowsers }, 'mailbox proof'),
    accountMail,
    audit,
    clock,
  });
  const signIn = createSignIn({
    db,
    passwordCheck,
    enrolment,
    guesses,
    tickets,
    mailboxProof,
    interactions,
    waitingResets,
    knownBrowsers,
    accountMail,
    audit,
    clock,
  });
  const newPassword = createNewPassword({ endSessions, codes, accountMail, audit, clock });
  const passwordChange = createPasswordChange({ newPassword, tickets, audit });
  const captchas = createCaptchas({
    keyValue,
    clock,
    testAnswer: config.captchaTestAnswer,
    onWrong: (beside) => services.wrongCaptchas.count(beside),
  });

  const forms = {
    captchas,
    wayBack: createWayBack({ db, relyingParties: registry, clock }),
    keyed,
    write,
    metrics,
    clock,
    showsEmailHint: config.resetEmailHint === 'masked',
  };

  const localOutbox =
    config.smtpUrl === undefined ? createLocalOutbox({ folder: join(config.dataDir, 'mail') }) : undefined;
  const samples = [...services.clientsFile.demoKeys].map(([id, key]) =>
    createSampleParty({
      id,
      key,
      name: registry.find(id)?.name ?? id,
      issuer: config.issuer,
      pushesRequests: registry.registration(id)?.require_pushed_authorization_requests === true,
      keyValue,
      sessionSeconds: registry.registration(id)?.x.max_age_seconds,
    }),
  );

  const loginsOf = (pages: OwnPages, origin: string) => {
    const ownLogin = createOwnLogin({ db, clock, issuer, endpointStyle, pages, origin });
    const sessions = createPageSessions({ db, pages, ownLogin, endSessions, waitingResets, audit, clock });
    return createPageLogins({ pages, sessions });
  };
  const portal = loginsOf('portal', config.issuer.origin);
  const consoleLogins = loginsOf('console', config.adminOrigin);
  const people = portal.people;
  const officers = consoleOfficers({
    people: consoleLogins.people,
    console: createConsole({ db, audit, clock }),
    acts: services.acts,
    isAdmin: origins.isAdmin,
    write,
  });
  const nameOf = (clientId: string): string | undefined => registry.find(clientId)?.name;
  const ownChange = createOwnChange({ db, devices, endSessions, accountMail, audit, clock });
  const openSessions = createOpenSessions({ db, registry, clock });
  const { refusals } = services;
  const cursors = createCursors(box);
  const idempotency = createIdempotency({ keyed, clock });
  const desk = createDesk({
    db,
    devices,
    recoveryCodeSets,
    guesses,
    waitingResets,
    contactChangeOf: async (id) => {
      const { change } = await services.contactChanges.view(id);
      return change && { state: change.state, opensAt: change.opensAt };
    },
    openSessions,
    agentOf,
    wrongCaptchas: services.wrongCaptchas,
    refusals,
    cursors,
    audit,
    keyed,
    clock,
  });
  const grants = createGrants({ db, refusals, cursors, clock });
  const { acts, alarms, presence } = services;
  const clientErrors = createClientErrors({ db, clock });
  const operators = createOperators({ refusals, clock });
  const clientDesk = createClientDesk({
    db,
    clients: services.clients,
    errors: clientErrors,
    idempotency,
    operators,
  });
  const clientPeople = createClientPeopleDesk({
    db,
    developers: services.clientDevelopers,
    invitations: services.clientInvitations,
    operators,
  });
  const printedSlips = {
    codeOf: (slipId: string) => services.activationSlips.codeOf(slipId),
    address: `${config.issuer.origin}/aktivasi`,
  };
  const routes: Route[] = [
    ...portalRoutes({
      portal,
      console: consoleLogins,
      services: {
        async ofPerson(account) {
          const roles = (await rolesOf(db, account.id)).map(({ role }) => role);
          const helpdeskHref = roles.length > 0 ? `${config.adminOrigin}/helpdesk` : undefined;
          const builds = await services.clientDevelopers.clientsOf(account.id);
          const developerHref = builds.length > 0 ? '/developer' : undefined;
          return { services: registry.servicesFor(account, roles), helpdeskHref, developerHref };
        },
      },
      isConsoleOnly: origins.isConsoleOnly,
      write,
    }),
    ...deviceRoutes({
      registry: createDeviceRegistry({ db, devices, recoveryCodeSets }),
      changes: createDeviceChanges({ devices, ownChange, audit }),
      write,
    }),
    ...passkeyRoutes({
      addPasskey: createAddPasskey({ db, devices, passkeys, ownChange, audit }),
      write,
    }),
    ...newAppRoutes({
      newApp: createNewApp({ db, devices, enrolment, wrongCodes, ownChange, audit, keyed }),
      write,
      metrics,
      clock,
    }),
    ...recoveryCodeRoutes({
      renewal: createCodeRenewal({ db, recoveryCodes, recoveryCodeSets, ownChange, box, clock }),
      write,
    }),
    ...contactRoutes({ contactChanges: services.contactChanges, write, clock }),
    ...disavowalRoutes({
      freezing: services.freezing,
      find: async (token) => {
        const disavowal = await services.disavowals.find(db, token);
        return disavowal && { disavowal, account: await getById(db, disavowal.accountId) };
      },
      write,
    }),
    ...sessionRoutes({
      sessions: createSessions({
        db,
        openSessions,
        endSessions,
        audit,
      }),
      write,
    }),
    ...activityRoutes({ activity: createActivity({ db, services: { nameOf }, clock }), write }),
    ...passwordRoutes({
      ownPassword: createOwnPassword({ db, passwordCheck, passwords, newPassword, tickets, clock }),
      write,
      clock,
    }),
    ...freezeRoutes({ freezing: services.freezing, write }),
    ...dataRoutes({ myData: createMyData({ db, audit, keyed, clock, texts }), nameOf, write, clock }),
    ...signInRoutes({
      signIn,
      secondFactor: createSecondFactor({
        db,
        otp,
        guesses,
        recoveryCodes,
        wrongCodes,
        accountMail,
        audit,
        keyed,
        clock,
      }),
      passkeySignIn: createPasskeySignIn({ db, passkeys, guesses, accountMail, audit, clock }),
      presence: createPresenceSignIn({ db, presence: services.presence, clock }),
      firstEnrolment: createFirstEnrolment({
        db,
        devices,
        enrolment,
        recoveryCodes,
        otp,
        wrongCodes,
        codes,
        mailboxProof,
        accountMail,
        audit,
        box,
        clock,
      }),
      weakPassword: createWeakPassword({ db, passwords, newPassword, clock }),
      interactions,
      relyingParties: registry,
      knownBrowsers,
      write,
      metrics,
      clock,
      waitSeconds: config.mfaResetWaitSeconds,
    }),
    ...resetRoutes({
      passwordReset: createPasswordReset({
        db,
        captchas,
        codes,
        devices,
        eitherCode,
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
        eitherCode,
        passwords,
        passwordChange,
      }),
      ...forms,
      knownBrowsers,
    }),
    ...selfResetRoutes({
      selfReset: createSelfReset({
        db,
        captchas,
        passwordCheck,
        codes,
        devices,
        otp,
        guesses,
        recoveryCodes,
        wrongCodes,
        ownReset,
        waitingResets,
        wayBack: forms.wayBack,
        mails: createMailsAfterPassword({ keyed, knownBrowsers }, 'mfa reset'),
        accountMail,
        audit,
        keyed,
        clock,
      }),
      waitingResets,
      ...forms,
      waitSeconds: config.mfaResetWaitSeconds,
    }),
    ...deviceLoginRoutes({
      devices: deviceLogins,
      limitedCodes: createLimitedCodes({ db, devices: deviceLogins, keyed, clock }),
      relyingParties: registry,
      accountOf: (id) => getById(db, id),
      write,
      clock,
    }),
    ...homeRoutes({ desk, alarms, write, clock }),
    ...personRoutes({ desk, acts, write, clock }),
    ...actRoutes({
      desk,
      acts,
      checkPresence: createPresenceCheck({ db, presence, refusals, clock }),
      slips: printedSlips,
      write,
      clock,
    }),
    ...approvalRoutes({ acts, desk, slips: printedSlips, write, clock }),
    ...appointmentRoutes({ desk, grants, acts, write, clock }),
    ...activationRoutes({
      unitSlips: createUnitSlips({
        db,
        slips: services.activationSlips,
        sheet: createSlipSheet({
          origin: config.issuer.origin,
          institution: config.institution,
          // On paper, Indonesian alone.
          words: (key, values) => texts.id(`slip.${key}`, values),
          date: timesIn('id').date,
        }),
        refusals: services.refusals,
        audit,
        alarms: services.alarms,
        keyed,
        clock,
      }),
      write,
      clock,
    }),
    ...clientRoutes({ clients: clientDesk, people: clientPeople, issuer, write }),
    ...clientPeopleRoutes({ clients: clientDesk, people: clientPeople, desk, write, clock }),
    ...developerRoutes({
      clients: services.clients,
      developers: services.clientDevelopers,
      errors: clientErrors,
      issuer,
      endpoints: ENDPOINTS[endpointStyle],
      write,
    }),
    ...trailRoutes({
      searches: services.trailSearches,
      exports: services.trailExports,
      people: services.trailPeople,
      tellOwner: (event, { clientId, actor }) =>
        tell(event, {
          service: clientId === undefined ? undefined : nameOf(clientId),
          device: undefined,
          hasActor: actor !== undefined,
        }),
      nameOf,
      write,
      clock,
    }),
    ...slipRoutes({
      slipActivation: createSlipActivation({
        db,
        captchas,
        slips: services.activationSlips,
        devices,
        passwords,
        passwordChange,
        audit,
        keyed,
        clock,
      }),
      ...forms,
      knownBrowsers,
    }),
    ...registrationRoutes({
      path: `${mountPath(config.issuer)}${ENDPOINTS[endpointStyle].registration}`,
      registration: createSelfRegistration({
        clients: services.clients,
        invitations: services.clientInvitations,
        production: config.production,
      }),
    }),
    ...adminRoutes({
      calls: [
        ...actCalls({ acts: services.acts, slips: services.activationSlips }),
        ...trailCalls({ searches: services.trailSearches, exports: services.trailExports, clock }),
        ...watchCalls({ alarms: services.alarms, twoOfficers: services.twoOfficers }),
        ...clientCalls(clientDesk),
        ...personnelFeedCalls(
          createFeedDesk({
            db,
            intake: services.feedIntake,
            mayFeed: (clientId) => registry.registration(clientId)?.x.personnel_feed === true,
            idempotency,
            refusals,
          }),
        ),
        ...deskCalls({
          desk,
          grants,
          idempotency,
          refusals,
          db,
        }),
      ],
      tokens: { verify: adminTokens({ db, clock, registry, adminResource }) },
      adminOrigin: config.adminOrigin,
      issuer,
      recordRefusal: (refused) => refusals.record(db, refused),
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
    officers,
    write,
    observe: (seen) => {
      metrics.httpRequest(seen);
    },
    log,
    clock,
  });
  const answer = app.callback();
  const post = createFormPost({ reachable, timeoutMs: LOGOUT_TIMEOUT_MS });
  return {
    listener: (req, res) => void answer(req, res),
    routes,
    localOutbox,
    signingKeys: openid,
    deliverLogout: createLogoutDelivery({ registry, subjects, keys: () => openid.keys, issuer, clock, post }),
  };
}
