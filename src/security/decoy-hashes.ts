import type { KeyedDigest } from './digests.js';
import { randomLike } from './stored-hash.js';

/** The stored hashes of one form and cost, as they were found in a sample. */
export interface HashForm {
  /** Names form and cost: `ours`, `$2b$12$`, ... */
  readonly form: string;
  readonly rows: number;
  /** One of them, as the pattern of decoys. Undefined for our own: their decoy is made by the hasher. */
  readonly example: string | undefined;
}

/**
 * What a typed password is compared with where there is nothing to compare it with. Imported hashes cost more or less
 * than ours: were every decoy one of ours, one wrong password would tell by its time that an imported account exists
 * (R-19, A3). So decoys take the forms of the stored hashes, in their shares, and a name keeps its form.
 */
export interface DecoyHashes {
  /**
   * A hash that no password has; undefined where it would be one of our own. Like `stored`, which may not be compared
   * with now; without it in the form that belongs to the key, the same each time.
   */
  of(key: string, stored?: string): string | undefined;
  /** Takes the forms and shares of now. */
  refresh(): Promise<void>;
}

const OF_32_BITS = 0x1_0000_0000;

/** Makes the decoys of a server key; until the first `refresh` all are our own. */
export function createDecoyHashes(parts: {
  readonly keyed: KeyedDigest;
  readonly sample: () => Promise<readonly HashForm[]>;
}): DecoyHashes {
  let forms: readonly (HashForm & { readonly example: string })[] = [];
  let total = 0;
  return {
    of(key, stored) {
      if (stored !== undefined) return stored.startsWith('$pepper=') ? undefined : randomLike(stored);
      // In the order of their names: as logins replace the imported ones, a name goes from its form to ours and stays.
      let place = (parts.keyed('decoy hash', key).readUInt32BE() / OF_32_BITS) * total;
      for (const { rows, example } of forms) {
        if (place < rows) return randomLike(example);
        place -= rows;
      }
      return undefined;
    },
    async refresh() {
      const found = await parts.sample();
      total = found.reduce((sum, { rows }) => sum + rows, 0);
      forms = found
        .flatMap(({ example, ...form }) => (example === undefined ? [] : [{ ...form, example }]))
        .toSorted((a, b) => (a.form < b.form ? -1 : 1));
    },
  };
}
