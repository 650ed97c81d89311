import { secondsUntil, type Clock } from '../../kernel/clock.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import type { Person } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { OwnPassword, OwnPasswordAnswer } from './own-password.js';

const PATH = '/account/password';

export interface PasswordRouteParts {
  readonly ownPassword: OwnPassword;
  readonly write: PageWriter;
  readonly clock: Clock;
}

/** Changing the password while logged in: the old one, and a second factor that is fresh. */
export function passwordRoutes({ ownPassword, write, clock }: PasswordRouteParts): Route[] {
  const show = (ctx: PageContext, person: Person, refused?: { error: PageError; status: number }): void => {
    write(ctx, 'account/password', { error: refused?.error }, { person, status: refused?.status ?? 200 });
  };

  function refusalOf(ctx: PageContext, answer: Exclude<OwnPasswordAnswer, { kind: 'done' }>) {
    switch (answer.kind) {
      case 'refused':
        return { error: { code: 'invalid_credentials', field: 'password' }, status: 422 } as const;
      case 'throttled': {
        const retryAfterSeconds = Math.max(1, secondsUntil(clock.now(), answer.until));
        ctx.set('Retry-After', String(retryAfterSeconds));
        return { error: { code: 'throttled', retryAfterSeconds }, status: 429 } as const;
      }
      case 'password_policy':
        return { error: { code: 'password_policy', rules: answer.rules }, status: 422 } as const;
      case 'confirmation_mismatch':
        return { error: { code: 'confirmation_mismatch' }, status: 422 } as const;
    }
  }

  return [
    {
      method: 'GET',
      path: PATH,
      access: 'person',
      fresh: true,
      handle(ctx, person) {
        show(ctx, person);
      },
    },
    {
      method: 'POST',
      path: PATH,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const typed = pickFields(fields, ['password', 'new_password', 'confirm_password']);
        const empty = (['password', 'new_password', 'confirm_password'] as const).find((name) => typed[name] === '');
        if (empty !== undefined) {
          show(ctx, person, { error: { code: 'invalid_input', field: empty }, status: 422 });
          return;
        }
        const { password, new_password: newPassword, confirm_password: confirmation } = typed;
        const answer = await ownPassword.change(person, { password, newPassword, confirmation }, visitorOf(ctx));
        if (answer.kind !== 'done') {
          show(ctx, person, refusalOf(ctx, answer));
          return;
        }
        leaveNotice(ctx, 'password_changed');
        // Not back to this page: it would ask whoever took their time for another code first.
        redirect(ctx, '/account/activity');
      },
    },
  ];
}
