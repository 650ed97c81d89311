import { redirect } from '#src/web/redirect.js';
import type { People } from '#src/web/person.js';

/** A site on which nobody is logged in. */
export const NOBODY: People = {
  find: () => Promise.resolve(undefined),
  askToSignIn: (ctx) => {
    redirect(ctx, '/login');
  },
};
