import { randomBytes } from 'node:crypto';
import type { Queryable } from '../storage/database.js';
import type { SealedBox } from './sealed-box.js';
import { sealedColumn } from './sealed-place.js';

const PURPOSE = 'server';
export const SEALED_DIGEST_KEY = sealedColumn('digest_keys', 'sealed', 'purpose');
const CONTEXT = SEALED_DIGEST_KEY.context(PURPOSE);

/**
 * The key of all keyed digests of this installation: made once, whichever process comes first, and kept sealed.
 * Throws `SealBroken` when the encryption keys given do not open it: then nothing else would open either.
 */
export async function loadDigestKey(db: Queryable, box: SealedBox): Promise<Buffer> {
  const find = async (): Promise<string | undefined> => {
    const [row] = await db.query('SELECT sealed FROM digest_keys WHERE purpose = $1', [PURPOSE]);
    return row?.sealed as string | undefined;
  };
  const sealed = await find();
  if (sealed !== undefined) return box.open(sealed, CONTEXT);
  await db.query('INSERT INTO digest_keys (purpose, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    PURPOSE,
    box.seal(randomBytes(32), CONTEXT),
  ]);
  return box.open((await find()) ?? '', CONTEXT);
}
