import { Refusal } from '../../kernel/refusal.js';
import { pickFields } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { WeakPassword } from '../weak-password.js';
import type { Walk } from './walk.js';

export interface ChangePasswordRouteParts {
  readonly walk: Walk;
  readonly weakPassword: WeakPassword;
  readonly write: PageWriter;
}

/** A weak password is changed before the sign-in goes on. */
export function changePasswordRoutes({ walk, weakPassword, write }: ChangePasswordRouteParts): Route[] {
  const { page, form, proceed } = walk;
  return [
    page('change-password', ({ ctx, page: common }) => {
      write(ctx, 'sign-in/change-password', common);
    }),
    form('change-password', '/change-password', async (here, fields) => {
      const typed = pickFields(fields, ['new_password', 'confirm_password']);
      const answer = await weakPassword.change(
        here.attempt,
        { password: typed.new_password, confirmation: typed.confirm_password },
        visitorOf(here.ctx),
      );
      if (answer.kind === 'accepted') await proceed(here.ctx);
      else if (answer.kind === 'gone') throw new Refusal('flow_expired');
      else {
        const rules = answer.kind === 'password_policy' ? answer.rules : undefined;
        write(
          here.ctx,
          'sign-in/change-password',
          { ...here.page, error: { code: answer.kind, rules } },
          { status: 422 },
        );
      }
    }),
  ];
}
