import { SEALED_UNSAVED_CODES } from './account/recovery-codes/renewal.js';
import { SEALED_CONTACT } from './account/contact/contact-change.js';
import { SEALED_NOTICE } from './accounts/account-mail.js';
import { SEALED_DISAVOWAL } from './accounts/disavowals.js';
import { SEALED_DEVICE } from './devices/device.js';
import { SEALED_PARTICULARS } from './helpdesk/acts/particulars.js';
import { SEALED_PRESENCE_CODE } from './mfa/presence.js';
import { SEALED_SIGNING_KEY } from './oidc/keys/signing-key.js';
import { SEALED_MESSAGE } from './outbox/outbox.js';
import { SEALED_DIGEST_KEY } from './security/digest-key-store.js';
import type { SealedPlace } from './security/sealed-place.js';
import { SEALED_ATTEMPT_CODES } from './sign-in/attempt.js';

/** Every column that is sealed with ENCRYPTION_KEYS. A test walks the source for others. */
export const SEALED_PLACES: readonly SealedPlace[] = [
  SEALED_DIGEST_KEY,
  SEALED_SIGNING_KEY,
  SEALED_DEVICE,
  SEALED_MESSAGE,
  SEALED_NOTICE,
  SEALED_DISAVOWAL,
  SEALED_CONTACT,
  SEALED_PARTICULARS,
  SEALED_PRESENCE_CODE,
  SEALED_ATTEMPT_CODES,
  SEALED_UNSAVED_CODES,
];
