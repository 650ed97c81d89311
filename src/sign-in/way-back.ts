import type { Clock } from '../kernel/clock.js';
import { attemptId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { find } from './attempt-store.js';
import type { RelyingParties } from './relying-parties.js';

export interface WayBackParts {
  readonly db: Queryable;
  readonly relyingParties: RelyingParties;
  readonly clock: Clock;
}

/**
 * Where a reset that began on a login page leads back to: the sign-in itself while it waits, else the service's own
 * start. The uid alone opens nothing: the sign-in's pages want its cookie too.
 */
export function createWayBack({ db, relyingParties, clock }: WayBackParts) {
  return {
    async find(
      attemptUid: string | undefined,
      browserId: string,
    ): Promise<{ service: string; href: string } | undefined> {
      if (attemptUid === undefined) return undefined;
      const attempt = await find(db, { uid: attemptId(attemptUid), browserId, now: clock.now() });
      if (attempt === undefined) return undefined;
      const party = relyingParties.find(attempt.clientId);
      if (party === undefined) return undefined;
      const href = attempt.finishedAt === undefined ? `/sign-in/${attempt.uid}` : party.href;
      return href === undefined ? undefined : { service: party.name, href };
    },
  };
}
