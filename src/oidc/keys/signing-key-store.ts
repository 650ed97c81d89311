import type { Queryable } from '../../storage/database.js';
import type { KeyTimes } from './key-states.js';
import type { Json } from '../storage/session-store.js';

export interface SigningKeyRow extends KeyTimes {
  readonly publicJwk: Json;
  /** Gone when it signs no more. */
  readonly sealedPrivateJwk: string | undefined;
}

/** A key that was made and stands in no row yet. */
export interface NewKey {
  readonly kid: string;
  readonly alg: string;
  readonly publicJwk: Json;
  readonly sealedPrivateJwk: string;
}

interface Succession {
  readonly key: NewKey;
  readonly now: Date;
  readonly signingFrom: Date;
  readonly overlapSeconds: number;
}

interface Revoked {
  readonly alg: string;
  readonly signingFrom: Date;
}

const INSERT =
  'INSERT INTO signing_keys (kid, alg, public_jwk, private_jwk, created_at, signing_from, overlap_seconds, follows)';
const ONE = `ON CONFLICT (alg, coalesce(follows, '')) WHERE revoked_at IS NULL DO NOTHING RETURNING kid`;
const valuesOf = ({ key, now, signingFrom, overlapSeconds }: Succession): unknown[] => [
  key.kid,
  key.alg,
  JSON.stringify(key.publicJwk),
  key.sealedPrivateJwk,
  now,
  signingFrom,
  overlapSeconds,
];

export const signingKeyStore = (db: Queryable) => ({
  /** Every key there ever was, newest first: a few a year. */
  async list(): Promise<readonly SigningKeyRow[]> {
    const rows = await db.query(
      `SELECT kid, alg, public_jwk, private_jwk, created_at, signing_from, overlap_seconds, follows, revoked_at
         FROM signing_keys ORDER BY alg, signing_from DESC, created_at DESC, revoked_at DESC NULLS FIRST, kid`,
    );
    return rows.map((row) => ({
      kid: row.kid as string,
      alg: row.alg as string,
      publicJwk: row.public_jwk as Json,
      sealedPrivateJwk: (row.private_jwk as string | null) ?? undefined,
      hasPrivate: row.private_jwk !== null,
      createdAt: row.created_at as Date,
      signingFrom: row.signing_from as Date,
      overlapSeconds: row.overlap_seconds as number,
      follows: (row.follows as string | null) ?? undefined,
      revokedAt: (row.revoked_at as Date | null) ?? undefined,
    }));
  },

  /** After the key that signs now. False when that one has a successor already, or was revoked meanwhile. */
  async insertNext(next: Succession): Promise<boolean> {
    const inserted = await db.query(
      `WITH signer AS (
         SELECT kid FROM signing_keys
          WHERE alg = $2 AND revoked_at IS NULL AND private_jwk IS NOT NULL AND signing_from <= $5
          ORDER BY signing_from DESC LIMIT 1 FOR NO KEY UPDATE)
       ${INSERT}
       SELECT $1, $2, $3, $4, $5, $6, $7, kid FROM signer
       ${ONE}`,
      valuesOf(next),
    );
    return inserted.length === 1;
  },

  /** After that key, or as the very first of its algorithm. False when another was quicker. */
  async insertAfter(follows: string | undefined, next: Succession): Promise<boolean> {
    const inserted = await db.query(`${INSERT} VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ${ONE}`, [
      ...valuesOf(next),
      follows ?? null,
    ]);
    return inserted.length === 1;
  },

  /** With its private half; undefined when there is no such key, or it was revoked before. */
  async revoke(kid: string, now: Date): Promise<Revoked | undefined> {
    const [row] = await db.query(
      `UPDATE signing_keys SET revoked_at = $2, private_jwk = NULL WHERE kid = $1 AND revoked_at IS NULL
       RETURNING alg, signing_from`,
      [kid, now],
    );
    return row && { alg: row.alg as string, signingFrom: row.signing_from as Date };
  },

  /** The successor of a revoked key signs from now on. Its kid, when there is one that waits. */
  async bringForward(follows: string, now: Date): Promise<string | undefined> {
    const [row] = await db.query(
      `UPDATE signing_keys SET signing_from = $2 WHERE follows = $1 AND revoked_at IS NULL AND signing_from > $2
       RETURNING kid`,
      [follows, now],
    );
    return row?.kid as string | undefined;
  },

  /** Whether a key of the algorithm signs that began after this moment. */
  async hasSignerSince({ alg, signingFrom }: Revoked, now: Date): Promise<boolean> {
    const rows = await db.query(
      `SELECT FROM signing_keys
        WHERE alg = $1 AND revoked_at IS NULL AND private_jwk IS NOT NULL AND signing_from > $2 AND signing_from <= $3`,
      [alg, signingFrom, now],
    );
    return rows.length > 0;
  },

  /** Removes the private halves of those whose successor has signed since before this moment. Answers which. */
  async destroy(before: Date): Promise<readonly { readonly kid: string; readonly alg: string }[]> {
    const rows = await db.query(
      `UPDATE signing_keys AS key SET private_jwk = NULL
        WHERE key.private_jwk IS NOT NULL
          AND EXISTS (SELECT FROM signing_keys AS next
                       WHERE next.follows = key.kid AND next.signing_from <= $1
                         AND (next.revoked_at IS NULL OR next.revoked_at >= next.signing_from))
       RETURNING key.kid, key.alg`,
      [before],
    );
    return rows.map((row) => ({ kid: row.kid as string, alg: row.alg as string }));
  },
});
