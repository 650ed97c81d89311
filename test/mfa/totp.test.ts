import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { secondsAfter } from '#src/kernel/clock.js';
import { enrolmentUri, findStrayStep, matchStep, newSecret, normaliseOtp, stepAt } from '#src/mfa/totp.js';
import { decodeBase32, hotp, totp } from '../support/totp.js';

/** RFC 6238 appendix B, SHA-1: the key is the ASCII text 12345678901234567890, the codes have eight digits. */
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const RFC_VECTORS: readonly (readonly [number, string])[] = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
];
const second = (epoch: number): Date => new Date(epoch * 1000);
const now = new Date('2026-11-23T01:15:42Z');
const secret = newSecret();
const typedAt = (offsetSeconds: number): string => totp(secret, secondsAfter(now, offsetSeconds));

describe("the tests' own authenticator", () => {
  it.each(RFC_VECTORS)('agrees with RFC 6238 appendix B at %i', (epoch, code) => {
    expect(hotp(decodeBase32(RFC_SECRET), Math.floor(epoch / 30), 8)).toBe(code);
    expect(totp(RFC_SECRET, second(epoch))).toBe(code.slice(2));
  });

  it('reads base32, padded or not, in either case, and nothing else', () => {
    expect(decodeBase32(RFC_SECRET).toString()).toBe('12345678901234567890');
    expect(decodeBase32('mzxw6ytb').toString()).toBe('fooba');
    expect(decodeBase32('MZXW6===').toString()).toBe('foo');
    expect(() => decodeBase32('MZXW1')).toThrow('not base32');
  });
});

const hasOathtool = spawnSync('oathtool', ['--version']).status === 0;
(hasOathtool ? describe : describe.skip)('oathtool', () => {
  it('agrees with us at 20 random times', () => {
    for (let round = 0; round < 20; round += 1) {
      const key = newSecret();
      const at = second(randomInt(4_000_000_000));
      const args = ['--totp', '--base32', `--now=@${at.getTime() / 1000}`, key];
      const code = execFileSync('oathtool', args, { encoding: 'utf8' }).trim();
      expect(totp(key, at)).toBe(code);
      expect(matchStep(key, code, at)).toBe(stepAt(at));
    }
  });
});

describe('one-time codes (RFC 6238)', () => {
  it.each(RFC_VECTORS)('accepts the vector of RFC 6238 at %i in its step', (epoch, code) => {
    expect(matchStep(RFC_SECRET, code.slice(2), second(epoch))).toBe(Math.floor(epoch / 30));
  });

  it('accepts what an authenticator shows, at 500 random times', () => {
    for (let round = 0; round < 500; round += 1) {
      const key = newSecret();
      const at = second(randomInt(4_000_000_000));
      expect(matchStep(key, totp(key, at), at)).toBe(stepAt(at));
    }
  });

  it.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])('of step %i from now is within the window: %s (ADR 0010)', (away, accepted) => {
    const code = totp(secret, second((stepAt(now) + away) * 30));
    expect(matchStep(secret, code, now)).toBe(accepted ? stepAt(now) + away : undefined);
  });

  it('lasts for its step to the last moment', () => {
    const start = second(stepAt(now) * 30);
    const code = totp(secret, start);
    expect(matchStep(secret, code, secondsAfter(start, 59.999))).toBe(stepAt(now));
    expect(matchStep(secret, code, secondsAfter(start, 60))).toBeUndefined();
    expect(matchStep(secret, code, secondsAfter(start, -30))).toBe(stepAt(now));
    expect(matchStep(secret, code, secondsAfter(start, -30.001))).toBeUndefined();
  });

  it('of another secret, or with any digit changed, is refused', () => {
    const code = typedAt(0);
    const valid = [-30, 0, 30].map(typedAt);
    for (let at = 0; at < 6; at += 1) {
      const digit = (Number(code[at]) + 1) % 10;
      const changed = `${code.slice(0, at)}${digit}${code.slice(at + 1)}`;
      if (!valid.includes(changed)) expect(matchStep(secret, changed, now)).toBeUndefined();
    }
    const other = newSecret();
    if (!valid.includes(totp(other, now))) expect(matchStep(secret, totp(other, now), now)).toBeUndefined();
  });

  it.each(['', '12345', '1234567', 'abcdef', '１２３４５６', '-12345', '000000000000'])(
    'malformed as %j matches nothing',
    (code) => {
      expect(matchStep(secret, code, now)).toBeUndefined();
    },
  );
});

describe('what people type (R-67)', () => {
  it.each([
    ['123456', '123456'],
    [' 123 456 ', '123456'],
    ['123-456', '123456'],
    ['12 34 56', '123456'],
    ['123\u00a0456', '123456'],
    ['１２３４５６', '123456'],
    ['000000', '000000'],
  ])('%j is %s', (typed, otp) => {
    expect(normaliseOtp(typed)).toBe(otp);
  });

  it.each([
    '',
    ' ',
    '12345',
    '1234567',
    '12345a',
    '12345\u0000',
    '١٢٣٤٥٦',
    '12.3456',
    '+12345',
    '0x1234',
    '1e5000',
    '123456\u200b',
    '\ud800123456',
    `123456${' '.repeat(60)}`,
    '1'.repeat(100_000),
  ])('%j is no code', (typed) => {
    expect(normaliseOtp(typed)).toBeUndefined();
  });
});

describe('codes of another time (clock drift)', () => {
  const reach = { now, reachSteps: 260 };

  it('finds the step a code belongs to, up to the reach and not beyond', () => {
    for (const away of [-260, -259, -17, -2, 2, 3, 100, 260]) {
      const code = totp(secret, second((stepAt(now) + away) * 30));
      const found = findStrayStep(secret, code, reach);
      // A chance match nearer by is one in a thousand; then it is a step that shows the same code.
      expect(totp(secret, second((found ?? 0) * 30))).toBe(code);
      expect(Math.abs((found ?? Infinity) - stepAt(now))).toBeLessThanOrEqual(Math.abs(away));
    }
    const nearby = new Set(Array.from({ length: 521 }, (_, index) => typedAt((index - 260) * 30)));
    for (const away of [-261, 261, 500]) {
      const code = totp(secret, second((stepAt(now) + away) * 30));
      if (!nearby.has(code)) expect(findStrayStep(secret, code, reach)).toBeUndefined();
    }
  });

  it('leaves what the window accepts to the window', () => {
    const stray = new Set(
      Array.from({ length: 521 }, (_, index) => index - 260)
        .filter((away) => Math.abs(away) > 1)
        .map((away) => typedAt(away * 30)),
    );
    for (const away of [-1, 0, 1]) {
      if (!stray.has(typedAt(away * 30))) expect(findStrayStep(secret, typedAt(away * 30), reach)).toBeUndefined();
    }
  });
});

describe('secrets and their addresses', () => {
  it('are 160 random bits in base32 (RFC 4226 R6)', () => {
    const secrets = Array.from({ length: 200 }, newSecret);
    expect(new Set(secrets).size).toBe(200);
    expect(secrets.every((text) => /^[A-Z2-7]{32}$/.test(text))).toBe(true);
    expect(decodeBase32(secrets[0] ?? '')).toHaveLength(20);
  });

  it('are carried by an otpauth address with issuer and label, nothing unusual', () => {
    const uri = new URL(enrolmentUri({ secret, issuer: 'SSO ASN', label: 'Sari & Co: 1' }));
    expect(uri.protocol + uri.host).toBe('otpauth:totp');
    expect(decodeURIComponent(uri.pathname)).toBe('/SSO ASN:Sari & Co: 1');
    expect(Object.fromEntries(uri.searchParams)).toEqual({ secret, issuer: 'SSO ASN' });
  });
});

it('keys of an odd length work as well: imported secrets (RFC 4226)', () => {
  const key = randomBytes(25);
  const base32 = Array.from(
    key.reduce((bits, byte) => bits + byte.toString(2).padStart(8, '0'), '').match(/.{5}/g) ?? [],
    (bits) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(bits, 2)],
  ).join('');
  expect(decodeBase32(base32)).toEqual(key);
  expect(matchStep(base32, totp(base32, now), now)).toBe(stepAt(now));
});
