import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ConfigError, isLoopback, loadConfig, type Environment, type Problem } from '#src/config/load.js';
import { SETTINGS } from '#src/config/settings.js';

const key = (kid: string): string => `${kid}:${randomBytes(32).toString('base64')}`;
const keys = { ENCRYPTION_KEYS: key('e1'), PASSWORD_PEPPERS: key('p1'), COOKIE_KEYS: key('c1') };
const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://sso.asn.example/realms/asn',
  ADMIN_ORIGIN: 'https://petugas.asn.example',
  DATABASE_URL: 'postgres://sso:rahasia@db.example/sso',
  REDIS_URL: 'rediss://cache.example',
  SMTP_URL: 'smtps://mail.example',
  MAIL_FROM: 'SSO ASN <no-reply@asn.example>',
  ...keys,
};

function problemsOf(env: Environment): readonly Problem[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
const settingsOf = (env: Environment): string[] => problemsOf(env).map(({ setting }) => setting);

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sso-asn-config-'));
});
afterEach(() => {
  rmSync(dataDir, { recursive: true });
});

describe('in development', () => {
  it('needs nothing, and has the defaults of the contract', () => {
    const config = loadConfig({ DATA_DIR: dataDir });
    expect({ ...config, issuer: config.issuer.href }).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 3000,
      managementHost: '127.0.0.1',
      managementPort: 9000,
      issuer: 'http://localhost:3000/',
      issuerText: 'http://localhost:3000',
      allowedHosts: [],
      endpointStyle: 'standard',
      databaseUrl: undefined,
      migrationDatabaseUrl: undefined,
      databasePool: 20,
      redisUrl: undefined,
      dataDir,
      smtpUrl: undefined,
      mailFrom: 'SSO ASN <no-reply@localhost>',
      clientsFile: resolve('config/clients.json'),
      trustedProxies: [],
      adminOrigin: 'http://localhost:3000',
      workers: 1,
      resetEmailHint: 'masked',
      resetRequiresOtp: true,
      mfaResetWaitSeconds: 86_400,
      demo: true,
      captchaTestAnswer: undefined,
      logLevel: 'info',
    });
  });

  it('makes its secrets once, so that a restart opens what was sealed', () => {
    const first = loadConfig({ DATA_DIR: dataDir });
    const again = loadConfig({ DATA_DIR: dataDir });
    expect(again.encryptionKeys.current).toEqual(first.encryptionKeys.current);
    const all = [first.encryptionKeys, first.passwordPeppers, first.cookieKeys].map(({ current }) => current.bytes);
    expect(new Set(all.map((bytes) => bytes.toString('hex'))).size).toBe(3);
  });

  it('prefers the secrets it was given', () => {
    const config = loadConfig({ DATA_DIR: dataDir, COOKIE_KEYS: `${key('c2')},${keys.COOKIE_KEYS}` });
    expect(config.cookieKeys.all.map(({ kid }) => kid)).toEqual(['c2', 'c1']);
    expect(config.encryptionKeys.current.kid).toMatch(/^dev-/);
  });

  it.each([
    [{}, true],
    [{ DATABASE_URL: 'postgres://localhost/sso' }, false],
    [{ DATABASE_URL: 'postgres://localhost/sso', DEMO: 'true' }, true],
    [{ DEMO: 'false' }, false],
    [{ NODE_ENV: 'test' }, true],
  ])('has demo people for %j: %s', (env, demo) => {
    expect(loadConfig({ DATA_DIR: dataDir, ...env }).demo).toBe(demo);
  });

  it('names itself after its port', () => {
    const config = loadConfig({ DATA_DIR: dataDir, PORT: '8080' });
    expect([config.issuerText, config.adminOrigin]).toEqual(['http://localhost:8080', 'http://localhost:8080']);
  });
});

describe('in production', () => {
  it('asks with nothing else set for exactly what the contract names, all at once', () => {
    const problems = problemsOf({ NODE_ENV: 'production' });
    expect(problems.map(({ setting }) => setting).sort()).toEqual(
      [
        'DATABASE_URL',
        'REDIS_URL',
        'SMTP_URL',
        'MAIL_FROM',
        'ENCRYPTION_KEYS',
        'PASSWORD_PEPPERS',
        'COOKIE_KEYS',
        'ADMIN_ORIGIN',
        'ISSUER',
      ].sort(),
    );
    expect(new Set(problems.map(({ message }) => message))).toEqual(new Set(['is required in production']));
  });

  it('lists problems in the order of the docs', () => {
    const order = SETTINGS.map(({ name }) => name);
    const found = settingsOf({ NODE_ENV: 'production', LOG_LEVEL: 'loud', PORT: 'x', DEMO: 'true' });
    expect(found).toEqual(order.filter((name) => found.includes(name)));
    expect(found).toEqual(expect.arrayContaining(['LOG_LEVEL', 'PORT', 'DEMO', 'ISSUER']));
  });

  it('runs with those, without demo, and makes no secrets of its own (R-15)', () => {
    const config = loadConfig({ ...production, DATA_DIR: dataDir });
    expect(config).toMatchObject({
      production: true,
      demo: false,
      issuerText: 'https://sso.asn.example/realms/asn',
      adminOrigin: 'https://petugas.asn.example',
      migrationDatabaseUrl: production.DATABASE_URL,
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it.each([
    [{ ISSUER: 'http://sso.asn.example' }, 'ISSUER'],
    [{ ADMIN_ORIGIN: 'http://petugas.asn.example' }, 'ADMIN_ORIGIN'],
    [{ DEMO: 'true' }, 'DEMO'],
    [{ CAPTCHA_TEST_ANSWER: 'abc' }, 'CAPTCHA_TEST_ANSWER'],
    [{ RESET_REQUIRES_OTP: 'false' }, 'RESET_REQUIRES_OTP'],
    [{ AUDIT_RETENTION_MONTHS: '11' }, 'AUDIT_RETENTION_MONTHS'],
    ...Object.keys(production)
      .filter((name) => name !== 'NODE_ENV')
      .map((name): [Environment, string] => [{ [name]: '' }, name]),
  ])('refuses %j (R-15)', (env, setting) => {
    expect(settingsOf({ ...production, ...env })).toEqual([setting]);
  });

  it('is not left by a misspelt NODE_ENV', () => {
    expect(settingsOf({ ...production, NODE_ENV: 'Production' })).toEqual(['NODE_ENV']);
  });
});

/** What each setting refuses. */
const BAD: Readonly<Record<string, readonly string[]>> = {
  NOTICE_MERGE_SECONDS: ['x', '-1', '3601', '1.5', 'never'],
  CONTACT_CHANGE_WAIT_SECONDS: ['x', '-1', '2592001', '3d'],
  NODE_ENV: ['prod', 'PRODUCTION', ' production'],
  HOST: ['http://localhost', 'local host', 'localhost/path', '[::1]'],
  PORT: ['x', '-1', '65536', '3000.5', '0x10', '1e3', ' ', '3000 '],
  MANAGEMENT_HOST: ['http://localhost', '*'],
  MANAGEMENT_PORT: ['x', '-1', '65536'],
  ISSUER: [
    'sso.asn.example',
    'ftp://sso.asn.example',
    'https://sso.asn.example/',
    'https://sso.asn.example/asn/',
    'https://sso.asn.example?x=1',
    'https://sso.asn.example/a#b',
    'https://SSO.asn.example',
    'https://sso.asn.example:443',
    'https://user:canary@sso.asn.example',
    'https://sso.asn.example/a/../b',
  ],
  ALLOWED_HOSTS: ['http://a.example', 'a.example/x', 'user@a.example', 'a b', 'a.example:99999', 'ok.example,a b'],
  ENDPOINT_STYLE: ['Keycloak', 'none'],
  DATABASE_URL: ['mysql://db/sso', 'db.example', 'postgres'],
  MIGRATION_DATABASE_URL: ['mysql://db/sso', 'x'],
  DATABASE_POOL: ['0', '1', '1001', 'many', '2.5'],
  REDIS_URL: [
    'http://cache',
    'cache:6379',
    'redis://:canary@cache:99999',
    'redis+sentinel://cache',
    'redis+cluster://cache/1',
  ],
  SMTP_URL: ['mail.example', 'http://mail.example'],
  MAIL_FROM: ['SSO ASN', 'a@b@c', 'SSO <a@b>, c@d', 'SSO\r\nBcc: x <a@b>', '<a@b>', 'a b@c'],
  ENCRYPTION_KEYS: ['canary', 'k:canary', `k:${randomBytes(16).toString('base64')}`, `${key('k')},${key('k')}`],
  PASSWORD_PEPPERS: ['canary', `${key('k')},`],
  COOKIE_KEYS: ['canary', `${key('k')};${key('l')}`],
  BACKCHANNEL_PRIVATE_HOSTS: [
    'myasn.internal:8443',
    'https://myasn.internal',
    '10.0.0.0/33',
    'myasn.internal/8',
    '[::1]',
    'a b',
  ],
  TRUSTED_PROXIES: [
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0/8',
    '::1/129',
    '10.0.0.0/8/8',
    '10.0.0.1;10.0.0.2',
    '1.2.3',
  ],
  CLIENT_CERTIFICATE_HEADER: ['client cert', 'client:cert', 'Cookie', 'x-forwarded-for', 'Authorization', '-x'],
  CLIENT_CERTIFICATE_ORIGIN: ['mtls.asn.example', 'https://mtls.asn.example/', 'ftp://mtls.asn.example'],
  ADMIN_ORIGIN: ['petugas.example', 'https://petugas.example/', 'https://petugas.example/x', 'https://PETUGAS.example'],
  WORKERS: ['0', '-1', '257', 'all', '1.5', 'AUTO'],
  RESET_EMAIL_HINT: ['true', 'full'],
  RESET_REQUIRES_OTP: ['yes', '1', 'TRUE'],
  MFA_RESET_WAIT_SECONDS: ['0', '-1', '1.5', '24h', '2592001'],
  AUDIT_RETENTION_MONTHS: ['x', '-1', '1.5', '1201', '5y'],
  FEED_MAX_INACTIVE_PERCENT: ['x', '-1', '101', '0.5', '1%'],
  FEED_MAX_INACTIVE_AT_LEAST: ['x', '-1', '1000001'],
  DEMO: ['yes', '0'],
  CAPTCHA_TEST_ANSWER: ['x'.repeat(33)],
  INSTITUTION: ['x'.repeat(121)],
  LOG_LEVEL: ['INFO', 'trace', 'silent'],
};
const FREE_TEXT = [
  'CLIENT_CERTIFICATE_AUTHORITIES',
  'DATA_DIR',
  'CLIENTS_FILE',
  'AUDIT_CHECKPOINT_FILE',
  'AUDIT_ARCHIVE_DIR',
  'FEED_KEYS_FILE',
];

const GOOD: Readonly<Record<string, readonly string[]>> = {
  HOST: ['0.0.0.0', '::', 'localhost'],
  PORT: ['0', '80', '65535'],
  ISSUER: [
    'http://localhost:3000',
    'https://sso.asn.example',
    'https://sso.asn.example/realms/asn',
    'http://[::1]:3000',
  ],
  ALLOWED_HOSTS: ['a.example, b.example:8080,,[::1]:3000', ' '],
  DATABASE_URL: ['postgres://u:p@h:5432/d?sslmode=require', 'postgresql://h/d'],
  REDIS_URL: [
    'redis://localhost:6379',
    'rediss://:pw@h/1',
    'redis+sentinel://a:26379,b:26379/utama/0',
    'rediss+cluster://a:6379,b:6379',
  ],
  SMTP_URL: ['smtp://127.0.0.1:1025', 'smtps://u:p@h'],
  MAIL_FROM: ['no-reply@asn.example', 'SSO ASN <no-reply@asn.example>'],
  BACKCHANNEL_PRIVATE_HOSTS: ['myasn.internal, 10.20.0.0/16', '192.168.7.9', 'fd00::/8', 'dms'],
  TRUSTED_PROXIES: ['10.0.0.0/8, 192.0.2.1, 2001:db8::/32', '::1', '0.0.0.0/0'],
  ADMIN_ORIGIN: ['http://localhost:3000', 'https://petugas.example'],
  CAPTCHA_TEST_ANSWER: ['a', 'x'.repeat(32)],
  DEMO: ['true', 'false'],
  RESET_REQUIRES_OTP: ['true', 'false'],
  AUDIT_RETENTION_MONTHS: ['0', '1', '60', '1200'],
  MFA_RESET_WAIT_SECONDS: ['1', '3600', '2592000'],
};

describe('every setting', () => {
  it('is in this table', () => {
    expect([...Object.keys(BAD), ...FREE_TEXT].sort()).toEqual(SETTINGS.map(({ name }) => name).sort());
  });

  const bad = Object.entries(BAD).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  it.each(bad)('%s refuses %j, once, repeating no secret (R-42)', (name, value) => {
    const problems = problemsOf({ DATA_DIR: dataDir, REDIS_URL: 'redis://localhost', [name]: value });
    expect(problems.map(({ setting }) => setting)).toEqual([name]);
    const [{ message } = { message: '' }] = problems;
    expect(message).toMatch(/^[a-z0-9].{8,120}$/);
    expect(message).not.toContain('canary');
  });

  const good = Object.entries(GOOD).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  it.each(good)('%s takes %j', (name, value) => {
    expect(problemsOf({ DATA_DIR: dataDir, [name]: value })).toEqual([]);
  });

  it.each(SETTINGS.map(({ name }) => name))('%s counts as unset when it is empty', (name) => {
    const defaults = loadConfig({ DATA_DIR: dataDir });
    const dir = name === 'DATA_DIR' ? {} : { DATA_DIR: dataDir };
    const config = loadConfig({ ...keys, ...dir, [name]: '' });
    const { encryptionKeys, passwordPeppers, cookieKeys, dataDir: found, ...others } = config;
    const { auditCheckpointFile, auditArchiveDir, ...rest } = others;
    expect(defaults).toMatchObject({ ...rest });
    expect([encryptionKeys, passwordPeppers, cookieKeys].every(({ all }) => all.length === 1)).toBe(true);
    expect(found).toBe(name === 'DATA_DIR' ? resolve('data') : dataDir);
    expect(auditCheckpointFile).toBe(join(found, 'audit-checkpoints.jsonl'));
    expect(auditArchiveDir).toBe(join(found, 'audit-archive'));
  });
});

it('what is no setting of ours is passed over', () => {
  expect(problemsOf({ DATA_DIR: dataDir, HOME: '/root', npm_config_port: 'x', __proto__: 'x' })).toEqual([]);
});

it('tells every problem of an environment in one go', () => {
  const env = { PORT: 'x', ISSUER: 'x', COOKIE_KEYS: 'x', WORKERS: '2', LOG_LEVEL: 'x' };
  expect(settingsOf(env)).toEqual(['PORT', 'ISSUER', 'COOKIE_KEYS', 'WORKERS', 'LOG_LEVEL']);
  expect(() => loadConfig(env)).toThrow('the settings have 5 problems');
  expect(() => loadConfig({ PORT: 'x' })).toThrow('the settings have 1 problem');
});

it.each([
  [{ WORKERS: '2' }, ['WORKERS']],
  [{ WORKERS: 'auto' }, ['WORKERS']],
  [{ WORKERS: '1' }, []],
  [{ WORKERS: 'auto', REDIS_URL: 'redis://localhost' }, []],
])('more than one worker needs Redis: %j', (env, problems) => {
  expect(settingsOf({ DATA_DIR: dataDir, ...env })).toEqual(problems);
});

it.each<[Environment, string[]]>([
  [{ CLIENT_CERTIFICATE_HEADER: 'Client-Cert' }, ['CLIENT_CERTIFICATE_HEADER']],
  [{ CLIENT_CERTIFICATE_HEADER: 'Client-Cert', TRUSTED_PROXIES: '10.0.0.1' }, []],
  [{ CLIENT_CERTIFICATE_AUTHORITIES: 'ca.pem' }, ['CLIENT_CERTIFICATE_AUTHORITIES']],
  [{ CLIENT_CERTIFICATE_ORIGIN: 'https://mtls.example' }, ['CLIENT_CERTIFICATE_ORIGIN']],
  [
    {
      CLIENT_CERTIFICATE_HEADER: 'X-SSL-Cert',
      TRUSTED_PROXIES: '10.0.0.1',
      ISSUER: 'https://sso.example',
      CLIENT_CERTIFICATE_ORIGIN: 'http://mtls.example',
    },
    ['CLIENT_CERTIFICATE_ORIGIN'],
  ],
])('client certificates are believed of listed proxies only: %j', (env, problems) => {
  expect(settingsOf({ DATA_DIR: dataDir, ...env })).toEqual(problems);
});

it('reads lists without spaces and empty items, and texts as their types', () => {
  const config = loadConfig({
    DATA_DIR: dataDir,
    ALLOWED_HOSTS: ' a.example , ,b.example',
    TRUSTED_PROXIES: '10.0.0.0/8,::1',
    WORKERS: 'auto',
    REDIS_URL: 'redis://localhost',
    RESET_REQUIRES_OTP: 'false',
    RESET_EMAIL_HINT: 'none',
    MIGRATION_DATABASE_URL: 'postgres://owner@h/d',
    DATABASE_URL: 'postgres://app@h/d',
  });
  expect(config).toMatchObject({
    allowedHosts: ['a.example', 'b.example'],
    trustedProxies: ['10.0.0.0/8', '::1'],
    workers: 'auto',
    resetRequiresOtp: false,
    resetEmailHint: 'none',
    migrationDatabaseUrl: 'postgres://owner@h/d',
  });
});

it('is frozen', () => {
  const config = loadConfig({ DATA_DIR: dataDir });
  expect(Object.isFrozen(config)).toBe(true);
  expect(() => Object.assign(config, { production: true })).toThrow(TypeError);
});

it.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['[::1]', true],
  ['127.0.0.1.example', false],
  ['localhost.example', false],
  ['192.0.2.1', false],
  ['0.0.0.0', false],
])('%s is this machine: %s', (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});
