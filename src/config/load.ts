import { join, resolve } from 'node:path';
import { developmentSecrets, SECRET_SETTINGS } from './development-secrets.js';
import { parseKeyRing, type KeyRing } from '../security/key-ring.js';
import { schema, SETTINGS, type Config, type RawSettings } from './settings.js';

export interface Problem {
  readonly setting: string;
  readonly message: string;
}

/** The settings cannot be used. Names every problem at once, never a value. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`the settings have ${problems.length} problem${problems.length === 1 ? '' : 's'}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The old address must have the time to say no (SECURITY.md 3.4). */
const DAY_SECONDS = 24 * 3600;

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
export const isLoopback = (hostname: string): boolean => LOOPBACK.test(hostname);

/** The known settings that are set; an empty value counts as unset. */
function given(env: Environment): Record<string, string> {
  const entries = SETTINGS.map(({ name }) => [name, env[name]] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}

/** An hour: less, and nobody reads a mail before their second factor is gone. */
const LEAST_WAIT_SECONDS = 3600;

/** What production demands beyond the form of each setting. */
function* productionProblems(raw: Partial<RawSettings>, env: Record<string, string>): Generator<Problem> {
  for (const { name, requiredInProduction } of SETTINGS) {
    if (requiredInProduction && env[name] === undefined) yield { setting: name, message: 'is required in production' };
  }
  if (raw.ISSUER !== undefined && !raw.ISSUER.startsWith('https://')) {
    yield { setting: 'ISSUER', message: 'must be an https address in production' };
  }
  if (raw.ADMIN_ORIGIN !== undefined && !raw.ADMIN_ORIGIN.startsWith('https://')) {
    yield { setting: 'ADMIN_ORIGIN', message: 'must be an https origin in production' };
  }
  if (raw.MFA_RESET_WAIT_SECONDS !== undefined && raw.MFA_RESET_WAIT_SECONDS < LEAST_WAIT_SECONDS) {
    yield { setting: 'MFA_RESET_WAIT_SECONDS', message: `must be at least ${LEAST_WAIT_SECONDS} in production` };
  }
  if (raw.CONTACT_CHANGE_WAIT_SECONDS !== undefined && raw.CONTACT_CHANGE_WAIT_SECONDS < DAY_SECONDS) {
    yield { setting: 'CONTACT_CHANGE_WAIT_SECONDS', message: 'must be a day or more in production' };
  }
  // A mailbox alone would own every account.
  if (raw.RESET_REQUIRES_OTP === false) yield { setting: 'RESET_REQUIRES_OTP', message: 'must be true in production' };
  const months = raw.AUDIT_RETENTION_MONTHS ?? 0;
  if (months > 0 && months < 12) {
    yield { setting: 'AUDIT_RETENTION_MONTHS', message: 'must be 0 or at least 12 in production' };
  }
  if (raw.DEMO === true) yield { setting: 'DEMO', message: 'is refused in production' };
  if (raw.CAPTCHA_TEST_ANSWER !== undefined) {
    yield { setting: 'CAPTCHA_TEST_ANSWER', message: 'is refused in production' };
  }
}

function* problemsOf(raw: Partial<RawSettings>, env: Record<string, string>): Generator<Problem> {
  if (env.NODE_ENV === 'production') yield* productionProblems(raw, env);
  if (raw.WORKERS !== undefined && raw.WORKERS !== 1 && env.REDIS_URL === undefined) {
    yield { setting: 'WORKERS', message: 'more than one needs REDIS_URL' };
  }
  yield* certificateProblems(raw);
}

/** A header alone proves nothing: it is believed from proxies that are listed. */
function* certificateProblems(raw: Partial<RawSettings>): Generator<Problem> {
  const { CLIENT_CERTIFICATE_HEADER: header, CLIENT_CERTIFICATE_ORIGIN: origin, ISSUER: issuer } = raw;
  if (header !== undefined && raw.TRUSTED_PROXIES?.length === 0) {
    yield { setting: 'CLIENT_CERTIFICATE_HEADER', message: 'needs TRUSTED_PROXIES' };
  }
  for (const setting of ['CLIENT_CERTIFICATE_AUTHORITIES', 'CLIENT_CERTIFICATE_ORIGIN'] as const) {
    if (header === undefined && raw[setting] !== undefined)
      yield { setting, message: 'needs CLIENT_CERTIFICATE_HEADER' };
  }
  if (origin !== undefined && issuer !== undefined && new URL(origin).protocol !== new URL(issuer).protocol) {
    yield { setting: 'CLIENT_CERTIFICATE_ORIGIN', message: 'must have the protocol of ISSUER' };
  }
}

/**
 * Turns the environment into a frozen Config. Throws one {@link ConfigError} that lists every problem. Outside
 * production, missing secrets are generated once into `DATA_DIR`.
 */
export function loadConfig(env: Environment): Config {
  const texts = given(env);
  const parsed = schema.safeParse(texts);
  const problems: Problem[] = [];
  let raw: Partial<RawSettings> = {};
  if (parsed.success) {
    raw = parsed.data;
  } else {
    const found = parsed.error.issues.map(({ path, message }) => ({ setting: String(path[0]), message }));
    // The first problem of a setting is the one to mend.
    const broken = new Map(found.toReversed().map((problem) => [problem.setting, problem]));
    problems.push(...broken.values());
    const sound = Object.fromEntries(Object.entries(texts).filter(([name]) => !broken.has(name)));
    raw = schema.safeParse(sound).data ?? {};
  }
  const order = new Map(SETTINGS.map(({ name }, index) => [name, index]));
  problems.push(...problemsOf(raw, texts));
  problems.sort((a, b) => (order.get(a.setting) ?? 0) - (order.get(b.setting) ?? 0));
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  return Object.freeze(toConfig(parsed.data));
}

function toConfig(raw: RawSettings): Config {
  const dataDir = resolve(raw.DATA_DIR);
  const missing = SECRET_SETTINGS.some((name) => raw[name] === undefined);
  const made = missing ? developmentSecrets(dataDir) : undefined;
  const ring = (name: (typeof SECRET_SETTINGS)[number]): KeyRing => raw[name] ?? parseKeyRing(made?.[name] ?? '');
  const issuerText = raw.ISSUER ?? `http://localhost:${raw.PORT}`;
  const issuer = new URL(issuerText);
  return {
    production: raw.NODE_ENV === 'production',
    host: raw.HOST,
    port: raw.PORT,
    managementHost: raw.MANAGEMENT_HOST,
    managementPort: raw.MANAGEMENT_PORT,
    issuer,
    issuerText,
    allowedHosts: raw.ALLOWED_HOSTS,
    endpointStyle: raw.ENDPOINT_STYLE,
    databaseUrl: raw.DATABASE_URL,
    migrationDatabaseUrl: raw.MIGRATION_DATABASE_URL ?? raw.DATABASE_URL,
    databasePool: raw.DATABASE_POOL,
    redisUrl: raw.REDIS_URL,
    dataDir,
    auditCheckpointFile: resolve(raw.AUDIT_CHECKPOINT_FILE ?? join(dataDir, 'audit-checkpoints.jsonl')),
    auditRetentionMonths: raw.AUDIT_RETENTION_MONTHS,
    auditArchiveDir: resolve(raw.AUDIT_ARCHIVE_DIR ?? join(dataDir, 'audit-archive')),
    smtpUrl: raw.SMTP_URL,
    mailFrom: raw.MAIL_FROM ?? 'SSO ASN <no-reply@localhost>',
    clientsFile: resolve(raw.CLIENTS_FILE),
    backchannelPrivateHosts: raw.BACKCHANNEL_PRIVATE_HOSTS,
    encryptionKeys: ring('ENCRYPTION_KEYS'),
    passwordPeppers: ring('PASSWORD_PEPPERS'),
    cookieKeys: ring('COOKIE_KEYS'),
    trustedProxies: raw.TRUSTED_PROXIES,
    clientCertificateHeader: raw.CLIENT_CERTIFICATE_HEADER,
    clientCertificateAuthorities:
      raw.CLIENT_CERTIFICATE_AUTHORITIES === undefined ? undefined : resolve(raw.CLIENT_CERTIFICATE_AUTHORITIES),
    clientCertificateOrigin: raw.CLIENT_CERTIFICATE_ORIGIN,
    adminOrigin: raw.ADMIN_ORIGIN ?? issuer.origin,
    workers: raw.WORKERS,
    resetEmailHint: raw.RESET_EMAIL_HINT,
    resetRequiresOtp: raw.RESET_REQUIRES_OTP,
    mfaResetWaitSeconds: raw.MFA_RESET_WAIT_SECONDS,
    noticeMergeSeconds: raw.NOTICE_MERGE_SECONDS,
    contactChangeWaitSeconds: raw.CONTACT_CHANGE_WAIT_SECONDS,
    feedMaxInactivePercent: raw.FEED_MAX_INACTIVE_PERCENT,
    feedMaxInactiveAtLeast: raw.FEED_MAX_INACTIVE_AT_LEAST,
    feedKeysFile: raw.FEED_KEYS_FILE === undefined ? undefined : resolve(raw.FEED_KEYS_FILE),
    demo: raw.DEMO ?? (raw.NODE_ENV !== 'production' && raw.DATABASE_URL === undefined),
    captchaTestAnswer: raw.CAPTCHA_TEST_ANSWER,
    institution: raw.INSTITUTION,
    logLevel: raw.LOG_LEVEL,
  };
}
