import type { Clock } from '../kernel/clock.js';
import { attemptId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { find } from './attempt-store.js';
import type { RelyingParties } from '../clients/relying-parties.js';

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
  async function wayOf(attemptUid: string | undefined, browserId: string) {
    if (attemptUid === undefined) return undefined;
    const attempt = await find(db, { uid: attemptId(attemptUid), browserId, now: clock.now() });
    const party = attempt && relyingParties.find(attempt.clientId);
    return party && { attempt, service: party.name, start: party.href };
  }
  const linkTo = (service: string, href: string | undefined): { service: string; href: string } | undefined =>
    href === undefined ? undefined : { service, href };
  return {
    async find(attemptUid: string | undefined, browserId: string) {
      const way = await wayOf(attemptUid, browserId);
      if (way === undefined) return undefined;
      const { attempt, service, start } = way;
      return linkTo(service, attempt.finishedAt === undefined ? `/sign-in/${attempt.uid}` : start);
    },
    async startOf(attemptUid: string | undefined, browserId: string) {
      const way = await wayOf(attemptUid, browserId);
      return way === undefined ? undefined : linkTo(way.service, way.start);
    },
  };
}
