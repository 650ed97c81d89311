import type { Audit } from '../../audit/audit.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { SealedBox } from '../../security/sealed-box.js';
import type { Database, Queryable } from '../../storage/database.js';
import { bumpRevision } from '../../storage/revisions.js';
import { keyStates, type KeyState } from './key-states.js';
import { SESSION_ABSOLUTE_SECONDS, TOKEN_SECONDS } from '../lifetimes.js';
import { makeKey, SIGNING_ALGS, type SigningAlg } from './signing-key.js';
import { signingKeyStore, type SigningKeyRow } from './signing-key-store.js';

/** How long relying parties may keep the key set: what its Cache-Control says (metadata.ts). */
const CACHED_SECONDS = 300;
/** How long all processes take to follow. */
const FOLLOWING_SECONDS = 10;

/** Long enough for those who keep the key set for a day, whatever its Cache-Control says. */
export const DEFAULT_LEAD_SECONDS = 24 * 3600;
/** Less, and a relying party that does all as it should meets a signature by a key that it does not know. */
export const LEAST_LEAD_SECONDS = CACHED_SECONDS + FOLLOWING_SECONDS;

/** A week: keeping what only verifies costs nothing, and some log out with an ID token of days ago. */
export const DEFAULT_OVERLAP_SECONDS = 7 * 24 * 3600;
/** An ID token of a session's first minute still tells at its end who logs out (id_token_hint); tokens live shorter. */
export const LEAST_OVERLAP_SECONDS = SESSION_ABSOLUTE_SECONDS + TOKEN_SECONDS + LEAST_LEAD_SECONDS;

/** What stopped signing keeps its private half this long: the clocks of two processes may be so far apart. */
const CLOCKS_APART_SECONDS = 60;

export interface RotationParts {
  readonly db: Database;
  readonly box: SealedBox;
  readonly clock: Clock;
  readonly audit: Audit;
}

export interface ListedKey {
  readonly kid: string;
  readonly alg: string;
  readonly createdAt: Date;
  readonly signingFrom: Date;
  /** False when it was destroyed. */
  readonly hasPrivate: boolean;
  readonly state: KeyState;
}

export interface Rotated {
  readonly kid: string;
  readonly alg: string;
  readonly signsFrom: Date;
  readonly leavesAt: Date;
}

/** `under_way`: of these algorithms a new key waits already; nothing was done. */
export type Rotation =
  | { readonly kind: 'rotated'; readonly keys: readonly Rotated[] }
  | { readonly kind: 'under_way'; readonly algs: readonly string[] };

/** What signs instead of a revoked key, where that one signed. */
export interface Substitute {
  readonly kid: string;
  /** Published before: relying parties may know it. */
  readonly wasPublished: boolean;
}

export type Revocation =
  | { readonly kind: 'revoked'; readonly alg: string; readonly substitute: Substitute | undefined }
  | { readonly kind: 'unknown' };

/** The life of the signing keys (R-54, docs/adr/0027). Every process follows within ten seconds. */
export interface KeyRotation {
  /** Every key there ever was. */
  list(): Promise<readonly ListedKey[]>;
  /** Publishes a new key of each algorithm named, which signs after the lead; all of them, or none. */
  rotate(how: { algs: readonly SigningAlg[]; leadSeconds: number; overlapSeconds: number }): Promise<Rotation>;
  /** Takes a key out of the set at once. When it signed, its successor does from now on, or a new key. */
  revoke(kid: string): Promise<Revocation>;
  /** Destroys the private halves of those that sign no more. Answers how many. */
  destroyRetired(): Promise<number>;
}

class UnderWay extends Error {
  readonly algs: readonly string[];
  constructor(algs: readonly string[]) {
    super('a rotation is under way');
    this.algs = algs;
  }
}

export function createKeyRotation({ db, box, clock, audit }: RotationParts): KeyRotation {
  const listed = ({ key, state }: { key: SigningKeyRow; state: KeyState }): ListedKey => {
    const { kid, alg, createdAt, signingFrom, hasPrivate } = key;
    return { kid, alg, createdAt, signingFrom, hasPrivate, state };
  };

  /** In the transaction of the revocation: somebody signs when it commits. */
  async function substitute(
    tx: Queryable,
    revoked: { kid: string; alg: string; signingFrom: Date },
    now: Date,
  ): Promise<Substitute | undefined> {
    const store = signingKeyStore(tx);
    const next = await store.bringForward(revoked.kid, now);
    if (next !== undefined) return { kid: next, wasPublished: true };
    // It never signed, or does so no more.
    if (revoked.signingFrom > now || (await store.hasSignerSince(revoked, now))) return undefined;
    const alg = SIGNING_ALGS.find((each) => each === revoked.alg);
    if (alg === undefined) return undefined;
    const key = await makeKey(alg, box);
    const instead = { key, now, signingFrom: now, overlapSeconds: DEFAULT_OVERLAP_SECONDS };
    if (!(await store.insertAfter(revoked.kid, instead))) throw new Error('a revoked key had a successor all the same');
    await audit.record(tx, { type: 'key.generated', detail: { kid: key.kid, alg: key.alg } });
    return { kid: key.kid, wasPublished: false };
  }

  return {
    async list() {
      return keyStates(await signingKeyStore(db).list(), clock.now()).map(listed);
    },

    async rotate({ algs, leadSeconds, overlapSeconds }) {
      const made = await Promise.all(algs.map((alg) => makeKey(alg, box)));
      const now = clock.now();
      const signingFrom = secondsAfter(now, leadSeconds);
      try {
        await db.transaction(async (tx) => {
          const refused: string[] = [];
          for (const key of made) {
            if (await signingKeyStore(tx).insertNext({ key, now, signingFrom, overlapSeconds })) {
              const detail = { kid: key.kid, alg: key.alg, signs_from: signingFrom.toISOString() };
              await audit.record(tx, { type: 'key.published', detail });
            } else refused.push(key.alg);
          }
          if (refused.length > 0) throw new UnderWay(refused);
          await bumpRevision(tx, 'signing_keys');
        });
      } catch (error) {
        if (error instanceof UnderWay) return { kind: 'under_way', algs: error.algs };
        throw error;
      }
      const leavesAt = secondsAfter(signingFrom, overlapSeconds);
      return { kind: 'rotated', keys: made.map(({ kid, alg }) => ({ kid, alg, signsFrom: signingFrom, leavesAt })) };
    },

    revoke: (kid) =>
      db.transaction<Revocation>(async (tx) => {
        const now = clock.now();
        const revoked = await signingKeyStore(tx).revoke(kid, now);
        if (revoked === undefined) return { kind: 'unknown' };
        const { alg } = revoked;
        await audit.record(tx, { type: 'key.revoked', detail: { kid, alg } });
        const instead = await substitute(tx, { kid, ...revoked }, now);
        await bumpRevision(tx, 'signing_keys');
        return { kind: 'revoked', alg, substitute: instead };
      }),

    destroyRetired: () =>
      db.transaction(async (tx) => {
        const destroyed = await signingKeyStore(tx).destroy(secondsAfter(clock.now(), -CLOCKS_APART_SECONDS));
        for (const { kid, alg } of destroyed) await audit.record(tx, { type: 'key.destroyed', detail: { kid, alg } });
        return destroyed.length;
      }),
  };
}
