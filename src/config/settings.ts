import { isIP } from 'node:net';
import { z } from 'zod';
import { redisAddress } from '../storage/redis-address.js';
import { parseKeyRing, type KeyRing } from '../security/key-ring.js';

/** One setting of the environment: what operators read in the docs and what `check-config` checks. */
export interface Setting {
  readonly name: string;
  /** As shown in the docs; undefined where there is none. */
  readonly defaultText: string;
  readonly meaning: string;
  /** Never printed. */
  readonly secret?: true;
  /** Refused when missing in production. */
  readonly requiredInProduction?: true;
}

/** Every setting there is, in the order of the docs. */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'NODE_ENV',
    defaultText: '`development`',
    meaning: '`production` refuses unsafe settings, all listed at once',
  },
  { name: 'HOST', defaultText: '`127.0.0.1`', meaning: 'address of the public listener' },
  { name: 'PORT', defaultText: '`3000`', meaning: 'port of the public listener' },
  { name: 'MANAGEMENT_HOST', defaultText: '`127.0.0.1`', meaning: 'address of `/livez`, `/readyz` and `/metrics`' },
  { name: 'MANAGEMENT_PORT', defaultText: '`9000`', meaning: 'port of `/livez`, `/readyz` and `/metrics`' },
  {
    name: 'ISSUER',
    defaultText: '`http://localhost:3000`',
    meaning: 'the OpenID Connect issuer; may have a path; `https` in production',
    requiredInProduction: true,
  },
  {
    name: 'ALLOWED_HOSTS',
    defaultText: 'none',
    meaning: 'further host names served, comma separated; any other Host is 421',
  },
  {
    name: 'ENDPOINT_STYLE',
    defaultText: '`standard`',
    meaning: '`standard` or `keycloak`: the addresses of the protocol endpoints',
  },
  {
    name: 'DATABASE_URL',
    defaultText: 'none: an embedded PostgreSQL in `DATA_DIR`',
    meaning: 'PostgreSQL 15 or newer',
    secret: true,
    requiredInProduction: true,
  },
  {
    name: 'MIGRATION_DATABASE_URL',
    defaultText: '`DATABASE_URL`',
    meaning: 'the same database as the role that may change the schema',
    secret: true,
  },
  { name: 'DATABASE_POOL', defaultText: '`20`', meaning: 'most connections to PostgreSQL of one process' },
  {
    name: 'REDIS_URL',
    defaultText: 'none: in-process',
    meaning: 'Redis single (`redis://`), Sentinel (`redis+sentinel://`) or Cluster (`redis+cluster://`)',
    secret: true,
    requiredInProduction: true,
  },
  {
    name: 'DATA_DIR',
    defaultText: '`./data`',
    meaning: 'embedded database, local outbox and generated development secrets',
  },
  {
    name: 'AUDIT_CHECKPOINT_FILE',
    defaultText: '`audit-checkpoints.jsonl` in `DATA_DIR`',
    meaning: 'where the ends of the audit chain are kept besides the database: another disk, or shipped elsewhere',
  },
  {
    name: 'AUDIT_RETENTION_MONTHS',
    defaultText: '`60` (5 years)',
    meaning:
      'how many whole months of the audit trail stay in the database besides the one that runs; older ones are archived and dropped; `0` keeps all, else at least 12 in production',
  },
  {
    name: 'AUDIT_ARCHIVE_DIR',
    defaultText: '`audit-archive` in `DATA_DIR`',
    meaning: 'where months of the audit trail are archived before they are dropped: a disk that is backed up',
  },
  {
    name: 'SMTP_URL',
    defaultText: 'none: local outbox at `/dev/mail`',
    meaning: '`smtp://` (STARTTLS demanded, except to a loopback host outside production) or `smtps://`',
    secret: true,
    requiredInProduction: true,
  },
  {
    name: 'MAIL_FROM',
    defaultText: '`SSO ASN <no-reply@localhost>` outside production',
    meaning: 'sender of all mail',
    requiredInProduction: true,
  },
  { name: 'CLIENTS_FILE', defaultText: '`config/clients.json`', meaning: 'the relying parties' },
  {
    name: 'BACKCHANNEL_PRIVATE_HOSTS',
    defaultText: 'none',
    meaning:
      'hosts or CIDR, comma separated, to which logout tokens may go and from which keys of clients (`jwks_uri`) may come although they are private',
  },
  {
    name: 'ENCRYPTION_KEYS',
    defaultText: 'generated once into `DATA_DIR` in development',
    meaning: '`kid:base64(32 bytes)`, comma separated, the first seals, all open',
    secret: true,
    requiredInProduction: true,
  },
  {
    name: 'PASSWORD_PEPPERS',
    defaultText: 'generated once into `DATA_DIR` in development',
    meaning: '`kid:base64(32 bytes)`, comma separated, the first hashes, all verify',
    secret: true,
    requiredInProduction: true,
  },
  {
    name: 'COOKIE_KEYS',
    defaultText: 'generated once into `DATA_DIR` in development',
    meaning: '`kid:base64(32 bytes)`, comma separated, the first signs, all verify',
    secret: true,
    requiredInProduction: true,
  },
  {
    name: 'TRUSTED_PROXIES',
    defaultText: 'none',
    meaning: 'addresses or CIDR, comma separated, whose `X-Forwarded-For` is believed',
  },
  {
    name: 'CLIENT_CERTIFICATE_HEADER',
    defaultText: 'none: mutual TLS is off',
    meaning:
      'header in which the proxies of `TRUSTED_PROXIES` hand client certificates over, such as `Client-Cert` (RFC 9440, or PEM as nginx escapes it); they must overwrite what comes from outside',
  },
  {
    name: 'CLIENT_CERTIFICATE_AUTHORITIES',
    defaultText: 'none: `tls_client_auth` is off',
    meaning: 'PEM file of the authorities that issue certificates of clients themselves, for `tls_client_auth`',
  },
  {
    name: 'CLIENT_CERTIFICATE_ORIGIN',
    defaultText: 'none',
    meaning:
      'a second origin of this service at which the proxy asks clients for certificates (`mtls_endpoint_aliases`)',
  },
  {
    name: 'ADMIN_ORIGIN',
    defaultText: "the issuer's origin",
    meaning: 'the only origin that serves `/helpdesk` and `/api/admin`',
    requiredInProduction: true,
  },
  {
    name: 'WORKERS',
    defaultText: '`1`',
    meaning: 'processes on this machine; `auto` is one per core; more than one needs `REDIS_URL`',
  },
  {
    name: 'RESET_EMAIL_HINT',
    defaultText: '`masked`',
    meaning: '`masked` or `none`: whether the reset page shows the masked e-mail',
  },
  {
    name: 'RESET_REQUIRES_OTP',
    defaultText: '`true`',
    meaning:
      'ask for a one-time code or a recovery code in a password reset when an authenticator is bound; must stay true in production',
  },
  {
    name: 'MFA_RESET_WAIT_SECONDS',
    defaultText: '`86400` (24 hours)',
    meaning:
      'how long a reset of MFA waits when the person has neither a recovery code nor another device; at least 3600 in production',
  },
  {
    name: 'NOTICE_MERGE_SECONDS',
    defaultText: '`300`',
    meaning:
      'how long a notice by mail waits for others of the same account, to become one mail; `0` sends each at once',
  },
  {
    name: 'CONTACT_CHANGE_WAIT_SECONDS',
    defaultText: '`259200`',
    meaning:
      'how long a new e-mail address that an operator entered waits, while the old one can stop it; a day or more in production',
  },
  {
    name: 'FEED_MAX_INACTIVE_PERCENT',
    defaultText: '`1`',
    meaning:
      'share of the active accounts that the personnel files of a day may make inactive; more refuses the whole file',
  },
  {
    name: 'FEED_MAX_INACTIVE_AT_LEAST',
    defaultText: '`20`',
    meaning: 'so many accounts personnel files may always make inactive in a day, for installations of few people',
  },
  {
    name: 'FEED_KEYS_FILE',
    defaultText: 'none',
    meaning:
      'a JWK set with the public keys (Ed25519 or P-256) of who signs personnel files; with it unsigned files are refused',
  },
  {
    name: 'DEMO',
    defaultText: '`true` in development without `DATABASE_URL`',
    meaning: 'demo accounts, agencies and sample relying parties; refused in production',
  },
  {
    name: 'CAPTCHA_TEST_ANSWER',
    defaultText: 'none',
    meaning: '1 to 32 characters; fixes the captcha answer for automated tests; refused in production',
  },
  {
    name: 'INSTITUTION',
    defaultText: '`Badan Kepegawaian Negara`',
    meaning: 'the institution named in the footer of pages and mails',
  },
  { name: 'LOG_LEVEL', defaultText: '`info`', meaning: '`debug`, `info`, `warn` or `error`; JSON lines on stdout' },
];

/** What the program runs with; frozen, made once at start. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly managementHost: string;
  readonly managementPort: number;
  readonly issuer: URL;
  /** The issuer exactly as it stands in tokens: no trailing slash. */
  readonly issuerText: string;
  /** Host header values served besides the issuer's and the admin origin's. */
  readonly allowedHosts: readonly string[];
  readonly endpointStyle: 'standard' | 'keycloak';
  readonly databaseUrl: string | undefined;
  readonly migrationDatabaseUrl: string | undefined;
  readonly databasePool: number;
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  readonly auditCheckpointFile: string;
  readonly auditRetentionMonths: number;
  readonly auditArchiveDir: string;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly clientsFile: string;
  readonly backchannelPrivateHosts: readonly string[];
  readonly encryptionKeys: KeyRing;
  readonly passwordPeppers: KeyRing;
  readonly cookieKeys: KeyRing;
  readonly trustedProxies: readonly string[];
  readonly clientCertificateHeader: string | undefined;
  readonly clientCertificateAuthorities: string | undefined;
  readonly clientCertificateOrigin: string | undefined;
  readonly adminOrigin: string;
  readonly workers: number | 'auto';
  readonly resetEmailHint: 'masked' | 'none';
  readonly resetRequiresOtp: boolean;
  readonly mfaResetWaitSeconds: number;
  readonly noticeMergeSeconds: number;
  readonly contactChangeWaitSeconds: number;
  readonly feedMaxInactivePercent: number;
  readonly feedMaxInactiveAtLeast: number;
  readonly feedKeysFile: string | undefined;
  readonly demo: boolean;
  readonly captchaTestAnswer: string | undefined;
  readonly institution: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** Plain digits: `Number` would also take ` `, `1e3` and `0x10`. */
const number = (least: number, most: number): z.ZodType<number, string> =>
  z
    .string()
    .refine(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most,
      `must be a whole number from ${least} to ${most}`,
    )
    .transform(Number);
const port = number(0, 65_535);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

function url(protocols: readonly string[]): z.ZodType<string, string> {
  return z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
}

const keyRing = z.string().transform((text, check) => {
  try {
    return parseKeyRing(text);
  } catch (error) {
    check.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is malformed' });
    return z.NEVER;
  }
});

function isRedisAddress(text: string): boolean {
  try {
    const address = redisAddress(text);
    return address.kind !== 'single' || URL.canParse(address.url);
  } catch {
    return false;
  }
}

/** As tokens and addresses will hold it, letter by letter. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, pathname } = new URL(text);
  return text === `${origin}${pathname === '/' ? '' : pathname}` && !text.endsWith('/');
}

/** A name or address with or without a port, as it stands in a Host header. */
const isHost = (text: string): boolean =>
  URL.canParse(`http://${text}`) && new URL(`http://${text}`).host === text.toLowerCase();

const isHostName = (text: string): boolean => isHost(text) && !/[:/[]/.test(text);

function isAddressOrRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

const origin = url(['http:', 'https:']).refine(
  (text) => URL.canParse(text) && new URL(text).origin === text,
  'must be an origin, without path',
);

/** Taken from every request, it would be missed. */
const OTHER_HEADERS =
  /^(?:host|cookie|authorization|dpop|origin|accept.*|content-.*|connection|x-forwarded-.*|forwarded|sec-.*)$/i;

/** What a listener can be told to listen on. */
const listenAddress = z.string().regex(/^[a-z0-9.:-]+$/i, 'must be an address or a host name, without port');

/** Each setting by itself: form and default. What they demand of each other is checked in `load.ts`. */
export const schema = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'], 'must be development, test or production')
    .default('development'),
  HOST: listenAddress.default('127.0.0.1'),
  PORT: port.default(3000),
  MANAGEMENT_HOST: listenAddress.default('127.0.0.1'),
  MANAGEMENT_PORT: port.default(9000),
  ISSUER: url(['http:', 'https:'])
    .refine(isIssuer, 'must have no user, default port, upper-case host, query, fragment or trailing slash')
    .optional(),
  ALLOWED_HOSTS: list.refine((hosts) => hosts.every(isHost), 'must be host names, with or without port').default([]),
  ENDPOINT_STYLE: z.enum(['standard', 'keycloak'], 'must be standard or keycloak').default('standard'),
  DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  MIGRATION_DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  DATABASE_POOL: number(2, 1000).default(20),
  REDIS_URL: z
    .string()
    .refine(isRedisAddress, 'must be redis://host:port, redis+sentinel://hosts/name or redis+cluster://hosts')
    .optional(),
  DATA_DIR: z.string().default('./data'),
  AUDIT_CHECKPOINT_FILE: z.string().optional(),
  AUDIT_RETENTION_MONTHS: number(0, 1200).default(60),
  AUDIT_ARCHIVE_DIR: z.string().optional(),
  SMTP_URL: url(['smtp:', 'smtps:']).optional(),
  MAIL_FROM: z
    .string()
    .regex(/^(?:[^<>\r\n]+ <[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, 'must be an address, or Name <address>')
    .optional(),
  CLIENTS_FILE: z.string().default('config/clients.json'),
  BACKCHANNEL_PRIVATE_HOSTS: list
    .refine(
      (hosts) => hosts.every((host) => isAddressOrRange(host) || isHostName(host)),
      'must be host names without port, addresses or CIDR',
    )
    .default([]),
  ENCRYPTION_KEYS: keyRing.optional(),
  PASSWORD_PEPPERS: keyRing.optional(),
  COOKIE_KEYS: keyRing.optional(),
  TRUSTED_PROXIES: list.refine((items) => items.every(isAddressOrRange), 'must be addresses or CIDR').default([]),
  CLIENT_CERTIFICATE_HEADER: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/i, 'must be the name of a header')
    .refine((name) => !OTHER_HEADERS.test(name), 'must not be a header with another meaning')
    .optional(),
  CLIENT_CERTIFICATE_AUTHORITIES: z.string().optional(),
  CLIENT_CERTIFICATE_ORIGIN: origin.optional(),
  ADMIN_ORIGIN: origin.optional(),
  WORKERS: z.union([z.literal('auto'), number(1, 256)], 'must be auto or a number from 1 to 256').default(1),
  RESET_EMAIL_HINT: z.enum(['masked', 'none'], 'must be masked or none').default('masked'),
  RESET_REQUIRES_OTP: flag.default(true),
  MFA_RESET_WAIT_SECONDS: number(1, 30 * 24 * 3600).default(24 * 3600),
  NOTICE_MERGE_SECONDS: number(0, 3600).default(300),
  CONTACT_CHANGE_WAIT_SECONDS: number(0, 2_592_000).default(259_200),
  FEED_MAX_INACTIVE_PERCENT: number(0, 100).default(1),
  FEED_MAX_INACTIVE_AT_LEAST: number(0, 1_000_000).default(20),
  FEED_KEYS_FILE: z.string().optional(),
  DEMO: flag.optional(),
  CAPTCHA_TEST_ANSWER: z.string().max(32, 'must have 1 to 32 characters').optional(),
  INSTITUTION: z.string().max(120, 'must have 120 characters at most').default('Badan Kepegawaian Negara'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error').default('info'),
});

export type RawSettings = z.infer<typeof schema>;
