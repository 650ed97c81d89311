import { secretContext, type Device } from '../devices/device.js';
import type { SealedBox } from '../security/sealed-box.js';

/** The TOTP secret of a device, base32. Throws for a device that has none: a passkey is never compared with a code. */
export function openSecret(box: SealedBox, { id, sealedSecret }: Device): string {
  if (sealedSecret === undefined) throw new Error(`device ${id} has no secret`);
  return box.open(sealedSecret, secretContext(id)).toString();
}
