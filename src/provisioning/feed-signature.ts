import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, importJWK, jwtVerify, type JSONWebKeySet, type JWK } from 'jose';
import { z } from 'zod';
import { secondsAfter } from '../kernel/clock.js';
import { FEED_MODES, type FeedMode } from './feed-report.js';

/** So much may the clock of whoever signs be ahead: a date far off would stand in the way of every later file. */
const AHEAD_SECONDS = 5 * 60;
const ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519'];
const TYPE = 'personnel-feed+jwt';

/** What a signature vouches for: these bytes, taken in this way, made at that time. */
export interface SignedFeed {
  readonly sha256: Buffer;
  readonly mode: FeedMode;
  readonly signedAt: Date;
}

/** Undefined when it is not by a known key, or not a statement about a personnel feed. */
export type VerifyFeedSignature = (signature: string, now: Date) => Promise<SignedFeed | undefined>;

/** The file of public keys cannot be used; the message says why. */
export class FeedKeysRefused extends Error {
  constructor(reason: string) {
    super(`FEED_KEYS_FILE ${reason}`);
    this.name = 'FeedKeysRefused';
  }
}

const claims = z.object({
  sha256: z.string().regex(/^[\w-]{43}$/),
  mode: z.enum(FEED_MODES),
  iat: z.number(),
});

/**
 * The keys whose holders may sign personnel files: a JWK set of public keys (RFC 7517), Ed25519 or P-256. Throws
 * {@link FeedKeysRefused}.
 */
export async function loadFeedKeys(path: string): Promise<VerifyFeedSignature> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new FeedKeysRefused(error instanceof SyntaxError ? 'is not JSON' : 'cannot be read');
  }
  return feedSignatures(await checkedKeys(content));
}

async function checkedKeys(content: unknown): Promise<JSONWebKeySet> {
  const { keys } = (content ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) throw new FeedKeysRefused('holds no keys');
  for (const [at, key] of (keys as JWK[]).entries()) {
    const named = `key ${at + 1}`;
    if (key.crv !== 'Ed25519' && key.crv !== 'P-256')
      throw new FeedKeysRefused(`${named} is neither Ed25519 nor P-256`);
    if ('d' in key) throw new FeedKeysRefused(`${named} is a private key`);
    await importJWK(key, key.crv === 'P-256' ? 'ES256' : 'EdDSA').catch(() => {
      throw new FeedKeysRefused(`${named} is no key`);
    });
  }
  return { keys: keys as JWK[] };
}

/**
 * Verifies signatures: a JWT (RFC 7519) of the type `personnel-feed+jwt` that names the SHA-256 of the file, the mode
 * and the time. The file itself is not in it: it may be larger than the memory (docs/adr/0020).
 */
export function feedSignatures(keys: JSONWebKeySet): VerifyFeedSignature {
  const find = createLocalJWKSet(keys);
  return async (signature, now) => {
    const verified = await jwtVerify(signature.trim(), find, {
      algorithms: ALGORITHMS,
      typ: TYPE,
      currentDate: now,
    }).catch(() => undefined);
    const read = claims.safeParse(verified?.payload);
    if (!read.success) return undefined;
    const { sha256, mode, iat } = read.data;
    const signedAt = new Date(iat * 1000);
    if (!(signedAt <= secondsAfter(now, AHEAD_SECONDS))) return undefined;
    return { sha256: Buffer.from(sha256, 'base64url'), mode, signedAt };
  };
}
