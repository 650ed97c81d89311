import type { Queryable } from '../storage/database.js';
import type { Json } from './session-store.js';

export type KeyStatus = 'published' | 'signing' | 'retired' | 'revoked';

export interface SigningKeyRow {
  readonly kid: string;
  readonly alg: string;
  readonly status: KeyStatus;
  readonly publicJwk: Json;
  readonly sealedPrivateJwk: string;
}

export interface SigningKeyStore {
  /** Keys whose public half is published, those that sign first. */
  list(): Promise<readonly SigningKeyRow[]>;
  /** False when another process has made a signing key of this algorithm first. */
  insertSigning(key: Omit<SigningKeyRow, 'status'>, now: Date): Promise<boolean>;
}

export function signingKeyStore(db: Queryable): SigningKeyStore {
  return {
    async list() {
      const rows = await db.query(
        `SELECT kid, alg, status, public_jwk, private_jwk FROM signing_keys
          WHERE status <> 'revoked'
          ORDER BY status <> 'signing', alg, created_at DESC, kid`,
      );
      return rows.map((row) => ({
        kid: row.kid as string,
        alg: row.alg as string,
        status: row.status as KeyStatus,
        publicJwk: row.public_jwk as Json,
        sealedPrivateJwk: row.private_jwk as string,
      }));
    },

    async insertSigning({ kid, alg, publicJwk, sealedPrivateJwk }, now) {
      const inserted = await db.query(
        `INSERT INTO signing_keys (kid, alg, status, public_jwk, private_jwk, created_at, signing_from)
         VALUES ($1, $2, 'signing', $3, $4, $5, $5)
         ON CONFLICT (alg) WHERE status = 'signing' DO NOTHING
         RETURNING kid`,
        [kid, alg, JSON.stringify(publicJwk), sealedPrivateJwk, now],
      );
      return inserted.length === 1;
    },
  };
}
