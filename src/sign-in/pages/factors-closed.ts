import type { Clock } from '../../kernel/clock.js';
import type { PageWriter } from '../../web/page.js';
import type { Route } from '../../web/route-table.js';
import type { Walk } from './walk.js';

export interface FactorsClosedRouteParts {
  readonly walk: Walk;
  readonly write: PageWriter;
  readonly clock: Clock;
  /** How long *Reset MFA* waits. */
  readonly waitSeconds: number;
}

/** Too many wrong codes have closed all that the person had: what happened, and the ways on. */
export function factorsClosedRoutes({ walk, write, clock, waitSeconds }: FactorsClosedRouteParts): Route[] {
  return [
    walk.page('factors-closed', ({ ctx, attempt, page }) => {
      const due = attempt.waitingResetDueAt;
      // One that is due takes effect with the password; where it did not, it is void and a new one is asked for.
      const dueAt = due !== undefined && due > clock.now() ? due : undefined;
      const resetHref = `/reset/mfa/wait?from=${attempt.uid}`;
      write(ctx, 'sign-in/factors-closed', { ...page, waitSeconds, resetHref, dueAt });
    }),
  ];
}
