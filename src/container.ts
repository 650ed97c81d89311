import { fileURLToPath } from 'node:url';
import { createActivationSlips } from './accounts/activation-slips.js';
import { createContactChanges } from './account/contact/contact-change.js';
import { createAccountMail } from './accounts/account-mail.js';
import { createClosing } from './accounts/closing.js';
import { createDisavowals } from './accounts/disavowals.js';
import { createFreezing, type EndUnderWay } from './accounts/freezing.js';
import { sampleHashForms } from './accounts/hash-forms-store.js';
import { createPasswordCheck } from './accounts/password-check.js';
import { createResetCases } from './accounts/reset-cases.js';
import { createAnchors } from './audit/anchors.js';
import { createAudit } from './audit/audit.js';
import { createCheckpoints } from './audit/checkpoints.js';
import { createRetention } from './audit/retention.js';
import { createSealer } from './audit/sealer.js';
import { createWrongCaptchas } from './captcha/wrong-captchas.js';
import { clientRegistry } from './clients/client-registry.js';
import { createClientDevelopers } from './clients/client-developers.js';
import { createClientInvitations } from './clients/client-invitations.js';
import { createClientUse } from './clients/client-use.js';
import { createClients } from './clients/clients.js';
import { createMailedCodes } from './codes/mailed-codes.js';
import type { Config } from './config/settings.js';
import { createDevices } from './devices/devices.js';
import { createEnrolmentTickets } from './devices/enrolment-tickets.js';
import { createPasskeyRegistry } from './devices/passkey-registry.js';
import { createRecoveryCodeSets } from './devices/recovery-code-sets.js';
import { createActs } from './helpdesk/acts/acts.js';
import { createAlarms } from './helpdesk/acts/alarms.js';
import { createFactorReset } from './helpdesk/factor-reset.js';
import { createOperatorsReset } from './helpdesk/operators-reset.js';
import { createTwoOfficers } from './helpdesk/two-officers.js';
import { createRefusals } from './helpdesk/refusals.js';
import { createBreachReports } from './helpdesk/breach/report.js';
import { createTrailPeople } from './helpdesk/trail/by-nip.js';
import { createTrailExports } from './helpdesk/trail/export.js';
import { createTrailSearches } from './helpdesk/trail/search.js';
import type { Clock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import { createMailer } from './mail/mailer.js';
import { createMailTemplates } from './mail/templates.js';
import { createMetrics } from './metrics/metrics.js';
import { createEnrolment } from './mfa/enrolment.js';
import { createForgetHolder } from './mfa/forget-holder.js';
import { createGuesses } from './mfa/guesses.js';
import { createOtpCheck } from './mfa/otp.js';
import { createOwnReset } from './mfa/own-reset.js';
import { createPasskeys } from './mfa/passkeys.js';
import { createPresence } from './mfa/presence.js';
import { createRecoveryCodes } from './mfa/recovery-codes.js';
import { createWaitingResets } from './mfa/waiting-resets.js';
import { createWrongCodes } from './mfa/wrong-codes.js';
import { createEndSessions } from './oidc/logout/end-sessions.js';
import { createKeyRotation } from './oidc/keys/key-rotation.js';
import { createLogoutNotices } from './oidc/logout/logout-notices.js';
import { createOutbox } from './outbox/outbox.js';
import { createPepperRetirement } from './reset/pepper-retirement.js';
import { createFeedEffects } from './provisioning/feed-effects.js';
import { createFeedIntake } from './provisioning/feed-intake.js';
import { loadFeedKeys } from './provisioning/feed-signature.js';
import { createPersonnelFeed } from './provisioning/personnel-feed.js';
import { endPasswordResets } from './reset/end-resets.js';
import { clientRules, readClientsFile } from './relying-parties.js';
import { loadDigestKey } from './security/digest-key-store.js';
import { createKeyedDigest } from './security/digests.js';
import { createHashQueue } from './security/hash-queue.js';
import { createDecoyHashes } from './security/decoy-hashes.js';
import { createPasswords } from './security/passwords.js';
import { createSealedBox } from './security/sealed-box.js';
import { randomBelow } from './security/secrets.js';
import type { Stores } from './stores.js';
import { addressGuard } from './throttle/address-guard.js';
import { createKnownBrowsers } from './throttle/known-browsers.js';
import type { Brand } from './web/pages.js';

export const VIEWS = fileURLToPath(new URL('../views', import.meta.url));

/** What waits for one hash at most: about a second's worth. */
const WAITING_FOR_EACH = 100;

export interface BuildServices {
  readonly config: Config;
  readonly stores: Stores;
  readonly log: Log;
  readonly clock: Clock;
  /** Password hashes this process may make at once. */
  readonly hashesAtOnce?: number;
  /** Called when a message was added to the outbox. */
  readonly onMessage?: () => void;
}

/**
 * The composition root: every service, built once from the settings, in the order of its dependencies. Knows all,
 * known by none but the commands and the server.
 */
export async function buildServices({ config, stores, log, clock, hashesAtOnce = 1, onMessage }: BuildServices) {
  const { db, databaseUrl, keyValue } = stores;
  const metrics = createMetrics();
  const brand: Brand = {
    name: 'SSO ASN',
    portal: 'ASN Digital',
    institution: config.institution,
    host: config.issuer.host,
  };

  // Security
  const box = createSealedBox(config.encryptionKeys);
  const keyed = createKeyedDigest(await loadDigestKey(db, box));
  const hashQueue = createHashQueue({
    concurrency: hashesAtOnce,
    maxWaiting: WAITING_FOR_EACH * hashesAtOnce,
    maxWaitMs: 2_000,
    retryAfterSeconds: () => 5 + randomBelow(25),
  });
  const passwords = createPasswords({ peppers: config.passwordPeppers, queue: hashQueue });
  const decoys = createDecoyHashes({ keyed, sample: () => sampleHashForms(db) });

  // Mechanisms
  const audit = createAudit(clock);
  const auditCheckpoints = createCheckpoints(keyed);
  const auditParts = { db, checkpoints: auditCheckpoints, checkpointFile: config.auditCheckpointFile, clock, log };
  const sealer = createSealer(auditParts);
  const auditAnchors = createAnchors(keyed);
  const retention = createRetention({
    ...{ audit, checkpoints: auditCheckpoints, anchors: auditAnchors, clock, log },
    databaseUrl: config.migrationDatabaseUrl ?? databaseUrl,
    months: config.auditRetentionMonths,
    archiveDir: config.auditArchiveDir,
  });

  // Relying parties
  const clientsFile = await readClientsFile(config, { keyed });
  const own = {
    issuer: config.issuer,
    name: brand.portal,
    console: { origin: config.adminOrigin, name: `Helpdesk ${brand.name}` },
  };
  const registry = clientRegistry([], own, keyed);
  const clients = createClients({ db, registry, rules: clientRules(config), keyed, audit, clock, log });
  await clients.reload();
  const clientDevelopers = createClientDevelopers({ db, audit, clock });
  const clientInvitations = createClientInvitations({ db, keyed, audit, clock });
  const clientUse = createClientUse({
    db,
    clock,
    log,
    isKnown: (id) => (registry.registration(id) ?? registry.switchedOff(id)) !== undefined,
  });

  const keyRotation = createKeyRotation({ db, box, clock, audit });
  const outbox = createOutbox({ box, clock, ...(onMessage === undefined ? {} : { onAdded: onMessage }) });
  const notices = createLogoutNotices({ outbox, registry });
  const endSessions = createEndSessions({ notices });
  const wrongCaptchas = createWrongCaptchas({ keyValue, keyed });
  const mailer = createMailer({ outbox, render: createMailTemplates({ directory: VIEWS, brand }) });
  const { origin } = config.issuer;
  const disavowals = createDisavowals({ box, clock, origin });
  const mergeSeconds = config.noticeMergeSeconds;
  const accountMail = createAccountMail({ mailer, outbox, disavowals, box, clock, mergeSeconds });
  const codes = createMailedCodes({ keyed });
  const addresses = addressGuard({ keyValue, clock });
  const knownBrowsers = createKnownBrowsers(keyed);

  // Entities and factors
  const devices = createDevices(clock);
  const tickets = createEnrolmentTickets({ keyed, clock });
  const guesses = createGuesses({ keyed, clock });
  const otp = createOtpCheck({ devices, guesses, box, clock, metrics });
  const passkeys = createPasskeys({
    registry: createPasskeyRegistry(clock),
    // A passkey belongs to one host and is used on one origin: those of the sign-in pages (WebAuthn section 13.4.9).
    rp: { id: config.issuer.hostname, origin: config.issuer.origin, name: brand.name },
    keyed,
    clock,
  });
  const wrongCodes = createWrongCodes({ devices, guesses, endSessions, accountMail, audit, clock });
  const recoveryCodeSets = createRecoveryCodeSets(clock);
  const recoveryCodes = createRecoveryCodes({ passwords, sets: recoveryCodeSets });
  const activationSlips = createActivationSlips({ keyed, audit, clock });
  const presence = createPresence({ box, keyed, audit, clock });
  const enrolment = createEnrolment({ devices, otp, box, clock, issuerName: brand.name });
  const passwordCheck = createPasswordCheck({
    db,
    passwords,
    decoys,
    addresses,
    knownBrowsers,
    accountMail,
    audit,
    keyed,
    clock,
  });
  const ownReset = createOwnReset({ devices, tickets, codes, guesses, endSessions, accountMail, audit, clock });
  const waitingResets = createWaitingResets({
    db,
    ownReset,
    outbox,
    accountMail,
    audit,
    keyed,
    clock,
    cases: createResetCases(clock),
    waitSeconds: config.mfaResetWaitSeconds,
    origin,
  });
  const pepperRetirement = createPepperRetirement({ db, recoveryCodeSets, audit, clock });
  const refusals = createRefusals(audit);
  const factorReset = { devices, tickets, codes, endSessions, accountMail, guesses, audit, clock };
  const trail = { db, audit, keyed, clock };
  const trailSearches = createTrailSearches(trail);
  const trailExports = createTrailExports(trail);
  const trailPeople = createTrailPeople(trail);
  const breachReports = createBreachReports({ databaseUrl, audit, clock });

  // What must not outlive a freeze, nor a new address.
  const underWay: readonly EndUnderWay[] = [
    (tx, id) => codes.voidAll(tx, id),
    (tx, id) => tickets.voidAll(tx, id),
    endPasswordResets,
    waitingResets.endUnderWay,
  ];
  const contactChanges = createContactChanges({
    db,
    devices,
    outbox,
    codes,
    underWay,
    accountMail,
    audit,
    box,
    keyed,
    clock,
    origin,
    waitSeconds: config.contactChangeWaitSeconds,
  });
  const endSlips: EndUnderWay = (tx, id) => activationSlips.voidAll(tx, id);
  const allUnderWay = [...underWay, contactChanges.endUnderWay, endSlips];
  const freezing = createFreezing({
    db,
    disavowals,
    endSessions,
    underWay: allUnderWay,
    accountMail,
    audit,
    clock,
  });
  const forgetFactors = createForgetHolder({ devices, tickets, codes, guesses, endSessions, disavowals });
  const forgetHolder: typeof forgetFactors = async (tx, id) => {
    await clientDevelopers.dismissEverywhere(tx, id);
    return forgetFactors(tx, id);
  };
  const personnelFeed = createPersonnelFeed({
    db,
    databaseUrl,
    limit: { percent: config.feedMaxInactivePercent, atLeast: config.feedMaxInactiveAtLeast },
    verify: config.feedKeysFile === undefined ? undefined : await loadFeedKeys(config.feedKeysFile),
    effects: createFeedEffects({ endSessions, underWay: allUnderWay, forgetHolder, accountMail, audit, clock }),
    audit,
    clock,
  });
  const closing = createClosing({ endSessions, underWay: allUnderWay, clock });

  // What officers do
  const alarms = createAlarms({ db, audit, clock, log, onAlarm: metrics.officerAlarm });
  const acts = createActs({
    db,
    factorReset: createFactorReset(factorReset),
    endSessions,
    freezing,
    closing,
    contactOrders: contactChanges,
    slips: activationSlips,
    underWay: allUnderWay,
    guesses,
    devices,
    accountMail,
    alarms,
    presence,
    refusals,
    audit,
    box,
    keyed,
    clock,
  });
  const feedIntake = createFeedIntake({ feed: personnelFeed, log });

  return {
    config,
    log,
    clock,
    db,
    databaseUrl,
    keyValue,
    metrics,
    brand,
    box,
    keyed,
    hashQueue,
    passwords,
    decoys,
    registry,
    clients,
    clientUse,
    clientDevelopers,
    clientInvitations,
    clientsFile,
    audit,
    auditCheckpoints,
    auditAnchors,
    retention,
    sealer,
    keyRotation,
    pepperRetirement,
    outbox,
    notices,
    wrongCaptchas,
    accountMail,
    codes,
    knownBrowsers,
    devices,
    tickets,
    guesses,
    otp,
    passkeys,
    wrongCodes,
    recoveryCodeSets,
    recoveryCodes,
    presence,
    activationSlips,
    enrolment,
    passwordCheck,
    endSessions,
    ownReset,
    waitingResets,
    refusals,
    operatorsReset: createOperatorsReset({ ...factorReset, db }),
    acts,
    alarms,
    twoOfficers: createTwoOfficers({ db, audit, refusals, clock }),
    trailSearches,
    trailExports,
    trailPeople,
    breachReports,
    disavowals,
    underWay: allUnderWay,
    contactChanges,
    freezing,
    personnelFeed,
    feedIntake,
  };
}

export type Services = Awaited<ReturnType<typeof buildServices>>;
