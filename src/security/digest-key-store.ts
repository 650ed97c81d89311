import { randomBytes } from 'node:crypto';
import type { Queryable } from '../storage/database.js';
import type { SealedBox } from './sealed-box.js';

const PURPOSE = 'server';
const CONTEXT = `digest_keys|${PURPOSE}|sealed`;

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
