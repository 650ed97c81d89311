import { redirect } from '#src/web/redirect.js';
import type { Officers } from '#src/web/officer.js';
import type { People } from '#src/web/person.js';

/** A site on which nobody is logged in. */
export const NOBODY: People = {
  find: () => Promise.resolve(undefined),
  askToSignIn: (ctx) => {
    redirect(ctx, '/login');
  },
};

/** A console on which nobody is on duty. */
export const NOBODY_ON_DUTY: Officers = {
  ...NOBODY,
  isServedAt: () => true,
  admit: () => Promise.resolve(undefined),
};
