import type { ExternalSigningKey } from 'oidc-provider';
import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import type { SealedBox } from '../../security/sealed-box.js';
import type { Database } from '../../storage/database.js';
import { bumpRevision } from '../../storage/revisions.js';
import { DEFAULT_OVERLAP_SECONDS } from './key-rotation.js';
import { keyStates, nextChange } from './key-states.js';
import { makeKey, openKey, SIGNING_ALGS, type SigningAlg } from './signing-key.js';
import { signingKeyStore } from './signing-key-store.js';

export interface KeyParts {
  readonly db: Database;
  readonly box: SealedBox;
  readonly clock: Clock;
  readonly audit: Audit;
}

/** The keys of one moment. */
export interface KeySet {
  /** What is published: those that sign, then those that will, then those that did. */
  readonly keys: readonly ExternalSigningKey[];
  /** When it is another set, if nobody does anything. */
  readonly changesAt: Date | undefined;
}

const ORDER = ['signing', 'published', 'retired'];

/**
 * The key set as it stands now. A first key of each algorithm is made at the first start, once, whichever of several
 * processes comes first. Throws when a key does not open with the encryption keys given.
 */
export async function loadSigningKeys(parts: KeyParts): Promise<KeySet> {
  const { db, box, clock } = parts;
  const store = signingKeyStore(db);
  const stands = async () => ({ rows: await store.list(), now: clock.now() });
  let { rows, now } = await stands();
  const signing = new Set(
    keyStates(rows, now)
      .filter(({ state }) => state.kind === 'signing')
      .map(({ key }) => key.alg),
  );
  const lacking = SIGNING_ALGS.filter((alg) => !signing.has(alg));
  for (const alg of lacking) await makeFirst(alg, rows.find((key) => key.alg === alg)?.kid, parts);
  if (lacking.length > 0) ({ rows, now } = await stands());

  const published = keyStates(rows, now)
    // One of an algorithm of tomorrow is for those who know it.
    .filter(({ key, state }) => ORDER.includes(state.kind) && SIGNING_ALGS.some((alg) => alg === key.alg))
    .toSorted((one, other) => ORDER.indexOf(one.state.kind) - ORDER.indexOf(other.state.kind));
  return { keys: published.map(({ key }) => openKey(key, box)), changesAt: nextChange(rows, now) };
}

/** After the last one that was seen, if any: of several processes that saw the same, one makes it. */
async function makeFirst(
  alg: SigningAlg,
  last: string | undefined,
  { db, box, clock, audit }: KeyParts,
): Promise<void> {
  const key = await makeKey(alg, box);
  const now = clock.now();
  await db.transaction(async (tx) => {
    const first = { key, now, signingFrom: now, overlapSeconds: DEFAULT_OVERLAP_SECONDS };
    if (!(await signingKeyStore(tx).insertAfter(last, first))) return;
    await audit.record(tx, { type: 'key.generated', detail: { kid: key.kid, alg } });
    await bumpRevision(tx, 'signing_keys');
  });
}

/** A JWT in compact form (RFC 7519), signed by the key that is in use for the algorithm. Throws when there is none. */
export async function signJwt(
  keys: readonly ExternalSigningKey[],
  { alg, typ, claims }: { alg: SigningAlg; typ: string; claims: object },
): Promise<string> {
  const key = keys.find((each) => each.alg === alg);
  if (key === undefined) throw new Error(`no key signs with ${alg}`);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg, typ, kid: key.kid })}.${part(claims)}`;
  const signature = await key.sign(Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}
