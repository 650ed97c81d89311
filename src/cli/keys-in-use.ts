import type { Config } from '../config/settings.js';
import type { KeyRing } from '../security/key-ring.js';
import type { UnderPepper } from '../storage/keys-in-use.js';
import { counted } from './counted.js';
import { table } from './table.js';

const NEEDED_BY_NONE = 'needed by no row: may be taken out';

/** Which of ENCRYPTION_KEYS rows still need. */
export function encryptionTable(ring: KeyRing, inUse: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const rows = ring.all.map(({ kid }) => {
    const tables = inUse.get(kid) ?? [];
    if (kid === ring.current.kid) return [kid, 'seals and opens', ''];
    return [kid, 'opens', tables.length === 0 ? NEEDED_BY_NONE : `needed by ${tables.join(', ')}: keys reseal`];
  });
  return table([['KID', 'DOES', 'WHAT HAPPENS'], ...rows]);
}

/** `1,234 passwords and 5 sets of recovery codes`. */
export const written = ({ passwords, codeSets }: UnderPepper): string =>
  `${counted(passwords, 'password')} and ${counted(codeSets, 'set of recovery codes', 'sets of recovery codes')}`;

/** What stands under each of PASSWORD_PEPPERS. */
export function pepperTable(
  ring: Config['passwordPeppers'],
  under: ReadonlyMap<string, UnderPepper>,
): readonly string[] {
  const rows = ring.all.map(({ kid }) => {
    const stands = under.get(kid) ?? { passwords: 0, codeSets: 0 };
    const isFirst = kid === ring.current.kid;
    const none = stands.passwords + stands.codeSets === 0;
    const next = none ? NEEDED_BY_NONE : 'passwords move at the next login; keys retire-pepper removes the rest';
    return [kid, isFirst ? 'hashes and verifies' : 'verifies', written(stands), isFirst ? '' : next];
  });
  return table([['KID', 'DOES', 'UNDER IT', 'WHAT HAPPENS'], ...rows]);
}
