import { randomBytes } from 'node:crypto';
import { createDisavowals } from '#src/accounts/disavowals.js';
import { createMailedCodes } from '#src/codes/mailed-codes.js';
import { createDevices } from '#src/devices/devices.js';
import { createEnrolmentTickets } from '#src/devices/enrolment-tickets.js';
import type { Clock } from '#src/kernel/clock.js';
import { createForgetHolder } from '#src/mfa/forget-holder.js';
import { createGuesses } from '#src/mfa/guesses.js';
import { createKeyedDigest } from '#src/security/digests.js';
import type { SealedBox } from '#src/security/sealed-box.js';
import { endSessions } from './end-sessions.js';

/** The real one, over whatever database its caller's transaction is of. */
export function forgetHolderWith({ box, clock }: { box: SealedBox; clock: Clock }) {
  const keyed = createKeyedDigest(randomBytes(32));
  return createForgetHolder({
    devices: createDevices(clock),
    tickets: createEnrolmentTickets({ keyed, clock }),
    codes: createMailedCodes({ keyed }),
    guesses: createGuesses({ keyed, clock }),
    disavowals: createDisavowals({ box, clock, origin: 'https://sso.contoh.test' }),
    endSessions,
  });
}
