import type { Metrics } from '../metrics/metrics.js';
import type { PageWriter } from '../web/page.js';
import type { Route } from '../web/route-table.js';
import type { FirstEnrolment } from './first-enrolment.js';
import { changePasswordRoutes } from './pages/change-password.js';
import { createFactorRefusals } from './pages/factor-refusal.js';
import { factorsClosedRoutes } from './pages/factors-closed.js';
import { firstEnrolmentRoutes } from './pages/first-enrolment.js';
import { passwordPage, passwordRoutes } from './pages/password.js';
import { presenceRoutes } from './pages/presence.js';
import { secondFactorRoutes } from './pages/second-factor.js';
import { createWalk, type WalkParts } from './pages/walk.js';
import type { PasskeySignIn } from './passkey-sign-in.js';
import type { PresenceSignIn } from './presence.js';
import type { SecondFactor } from './second-factor.js';
import type { WeakPassword } from './weak-password.js';

export interface SignInRouteParts extends WalkParts {
  readonly secondFactor: SecondFactor;
  readonly passkeySignIn: PasskeySignIn;
  readonly presence: PresenceSignIn;
  readonly firstEnrolment: FirstEnrolment;
  readonly weakPassword: WeakPassword;
  readonly write: PageWriter;
  readonly metrics: Pick<Metrics, 'login' | 'otp'>;
  /** How long *Reset MFA* waits. */
  readonly waitSeconds: number;
}

/** The hosted login pages. Every handler proves one thing and asks `proceed` where to go. */
export function signInRoutes(parts: SignInRouteParts): Route[] {
  const { write, metrics } = parts;
  const walk = createWalk(parts);
  const refusals = createFactorRefusals({ walk, metrics });
  const pages = { ...parts, walk, refusals, showPassword: passwordPage(write) };
  return [
    ...passwordRoutes(pages),
    ...secondFactorRoutes(pages),
    ...factorsClosedRoutes(pages),
    ...presenceRoutes(pages),
    ...firstEnrolmentRoutes(pages),
    ...changePasswordRoutes(pages),
  ];
}
