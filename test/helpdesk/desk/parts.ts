import { createAudit } from '#src/audit/audit.js';
import { createDevices } from '#src/devices/devices.js';
import { createRecoveryCodeSets } from '#src/devices/recovery-code-sets.js';
import { createCursors } from '#src/helpdesk/api/cursor.js';
import { createDesk, type DeskParts } from '#src/helpdesk/desk/create-desk.js';
import { createGrants } from '#src/helpdesk/desk/grants.js';
import { createRefusals } from '#src/helpdesk/refusals.js';
import type { Clock } from '#src/kernel/clock.js';
import { createGuesses } from '#src/mfa/guesses.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { agentOf } from '#src/web/agent.js';

/** The desk with its real parts; what other capabilities answer is nothing unless given. */
export function deskParts(
  db: Database,
  { clock, secret, ...given }: { clock: Clock; secret: Buffer } & Partial<DeskParts>,
) {
  const keyed = createKeyedDigest(secret);
  const box = createSealedBox(parseKeyRing(`k1:${secret.toString('base64')}`));
  const audit = createAudit(clock);
  const parts: DeskParts = {
    db,
    devices: createDevices(clock),
    recoveryCodeSets: createRecoveryCodeSets(clock),
    guesses: createGuesses({ keyed, clock }),
    waitingResets: { dueAt: () => Promise.resolve(undefined) },
    contactChangeOf: () => Promise.resolve(undefined),
    openSessions: { of: () => Promise.resolve([]) },
    agentOf,
    wrongCaptchas: { count: () => Promise.resolve(), countOf: () => Promise.resolve(0) },
    refusals: createRefusals(audit),
    cursors: createCursors(box),
    audit,
    keyed,
    clock,
    ...given,
  };
  return { ...parts, desk: createDesk(parts), grants: createGrants(parts) };
}
