import { randomBytes } from 'node:crypto';
import type { EndSessions } from '#src/accounts/end-sessions.js';
import { systemClock } from '#src/kernel/clock.js';
import { createEndSessions } from '#src/oidc/logout/end-sessions.js';
import { createLogoutNotices, type LogoutNotices } from '#src/oidc/logout/logout-notices.js';
import { createOutbox } from '#src/outbox/outbox.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';

const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));

/** The real ones where no relying party wants to be told. */
export const noNotices: LogoutNotices = createLogoutNotices({
  outbox: createOutbox({ box, clock: systemClock }),
  registry: { registration: () => undefined },
});
export const endSessions: EndSessions = createEndSessions({ notices: noNotices });
