import { secondsUntil, type Clock } from '../../kernel/clock.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeNotice, takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import type { Person } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { ConfirmAnswer, ContactChanges } from './contact-change.js';

export interface ContactRouteParts {
  readonly contactChanges: ContactChanges;
  readonly write: PageWriter;
  readonly clock: Clock;
}

interface Refused {
  readonly error: PageError;
  readonly status: number;
}

const CODE_INVALID: Refused = { error: { code: 'code_invalid' }, status: 422 };
const codeMissing: Refused = { error: { code: 'invalid_input', field: 'code' }, status: 422 };

/** The person's own new address, and the pages that an officer's new address proves itself on. */
export function contactRoutes({ contactChanges, write, clock }: ContactRouteParts): Route[] {
  const throttled = (ctx: PageContext, until: Date): Refused => {
    const retryAfterSeconds = Math.max(1, secondsUntil(clock.now(), until));
    ctx.set('Retry-After', String(retryAfterSeconds));
    return { error: { code: 'throttled', limit: 'mails', retryAfterSeconds }, status: 429 };
  };

  async function showContact(ctx: PageContext, person: Person, refused?: Refused & { email: string }): Promise<void> {
    const { registered, change, closedUntil } = await contactChanges.view(person.id);
    const done = refused === undefined ? takeOneOf(ctx, ['contact_changed', 'contact_stopped']) : undefined;
    write(
      ctx,
      'account/contact',
      {
        registered,
        change,
        closedUntil,
        done,
        email: refused?.email,
        error: refused?.error,
      },
      { person, status: refused?.status ?? 200 },
    );
  }

  async function showCode(ctx: PageContext, person: Person, refused?: Refused): Promise<void> {
    const { change } = await contactChanges.view(person.id);
    if (change?.state !== 'asked') {
      redirect(ctx, '/account/contact');
      return;
    }
    const resent = takeNotice(ctx, 'resent');
    const page = { email: change.address, resent, error: refused?.error };
    write(ctx, 'account/contact/code', page, { person, status: refused?.status ?? 200 });
  }

  const tokenOf = (ctx: PageContext): string => (ctx.params as { token: string }).token;
  const pathOf = (ctx: PageContext): string => `/alamat-baru/${tokenOf(ctx)}`;

  const gone = (ctx: PageContext): void => {
    write(ctx, 'link-gone', { what: 'contact' }, { status: 410 });
  };

  /** What the link leads to at this moment: which step is due is known here only. */
  async function showInvited(ctx: PageContext, step: 'start' | 'code', refused?: Refused): Promise<void> {
    const found = await contactChanges.invited(tokenOf(ctx));
    if (found === undefined) gone(ctx);
    else if (found === 'done') write(ctx, 'contact/done', {});
    else if (step === 'start') {
      const { emailHint, nipEnding } = found;
      const page = { base: pathOf(ctx), emailHint, nipEnding, error: refused?.error };
      write(ctx, 'contact/start', page, { status: refused?.status ?? 200 });
    } else if (found.codeMailed) {
      const resent = takeNotice(ctx, 'resent');
      const page = { base: pathOf(ctx), emailHint: found.emailHint, resent, error: refused?.error };
      write(ctx, 'contact/code', page, { status: refused?.status ?? 200 });
    } else redirect(ctx, pathOf(ctx));
  }

  const refusalOf = ({ kind }: ConfirmAnswer): Refused | undefined =>
    kind === 'code_invalid' ? CODE_INVALID : undefined;

  return [
    {
      method: 'GET',
      path: '/account/contact',
      access: 'person',
      fresh: true,
      handle: (ctx, person) => showContact(ctx, person),
    },
    {
      method: 'POST',
      path: '/account/contact',
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const { new_email: email } = pickFields(fields, ['new_email']);
        const answer = await contactChanges.ask(person.id, email, visitorOf(ctx));
        if (answer.kind === 'asked') redirect(ctx, '/account/contact/code');
        else if (answer.kind === 'too_early') redirect(ctx, '/account/contact');
        else if (answer.kind === 'throttled') {
          await showContact(ctx, person, { ...throttled(ctx, answer.until), email });
        } else {
          const reason = answer.kind === 'same' ? 'same' : undefined;
          const error = { code: 'invalid_input', field: 'new_email', reason } as const;
          await showContact(ctx, person, { error, status: 422, email });
        }
      },
    },
    {
      method: 'GET',
      path: '/account/contact/code',
      access: 'person',
      handle: (ctx, person) => showCode(ctx, person),
    },
    {
      method: 'POST',
      path: '/account/contact/code',
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const { code } = pickFields(fields, ['code']);
        if (code.trim() === '') {
          await showCode(ctx, person, codeMissing);
          return;
        }
        const answer = await contactChanges.confirm(person.id, code, visitorOf(ctx));
        if (answer.kind === 'done') leaveNotice(ctx, 'contact_changed');
        if (answer.kind === 'exhausted') {
          const page = { cause: 'too_many_codes', kept: 'nothing', restartHref: '/account/contact' } as const;
          write(ctx, 'expired', page, { person, status: 410 });
        } else if (answer.kind === 'code_invalid') await showCode(ctx, person, refusalOf(answer));
        // Also when the other half of a double tap has done it, or somebody has stopped it.
        else redirect(ctx, '/account/contact');
      },
    },
    {
      method: 'POST',
      path: '/account/contact/resend',
      access: 'person',
      page: '/account/contact/code',
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        const answer = await contactChanges.resend(person.id, visitorOf(ctx));
        if (answer.kind === 'throttled') await showCode(ctx, person, throttled(ctx, answer.until));
        else {
          if (answer.kind === 'sent') leaveNotice(ctx, 'resent');
          redirect(ctx, '/account/contact/code');
        }
      },
    },
    {
      method: 'POST',
      path: '/account/contact/stop',
      access: 'person',
      page: '/account/contact',
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        if (await contactChanges.stop(person.id, visitorOf(ctx))) leaveNotice(ctx, 'contact_stopped');
        redirect(ctx, '/account/contact');
      },
    },

    {
      method: 'GET',
      path: '/alamat-baru/:token',
      access: 'anyone',
      handle: (ctx) => showInvited(ctx, 'start'),
    },
    {
      method: 'POST',
      path: '/alamat-baru/:token',
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const answer = await contactChanges.sendToInvited(tokenOf(ctx), visitorOf(ctx));
        if (answer.kind === 'sent') redirect(ctx, `${pathOf(ctx)}/kode`);
        else await showInvited(ctx, 'start', answer.kind === 'throttled' ? throttled(ctx, answer.until) : undefined);
      },
    },
    {
      method: 'GET',
      path: '/alamat-baru/:token/kode',
      access: 'anyone',
      handle: (ctx) => showInvited(ctx, 'code'),
    },
    {
      method: 'POST',
      path: '/alamat-baru/:token/kode',
      access: 'anyone',
      async handle(ctx, fields) {
        const { code } = pickFields(fields, ['code']);
        if (code.trim() === '') {
          await showInvited(ctx, 'code', codeMissing);
          return;
        }
        const answer = await contactChanges.confirmInvited(tokenOf(ctx), code, visitorOf(ctx));
        // Done or ended: the address shows which.
        if (answer.kind === 'code_invalid') await showInvited(ctx, 'code', CODE_INVALID);
        else redirect(ctx, pathOf(ctx));
      },
    },
    {
      method: 'POST',
      path: '/alamat-baru/:token/ulang',
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const answer = await contactChanges.sendToInvited(tokenOf(ctx), visitorOf(ctx));
        if (answer.kind === 'throttled') await showInvited(ctx, 'code', throttled(ctx, answer.until));
        else {
          if (answer.kind === 'sent') leaveNotice(ctx, 'resent');
          redirect(ctx, `${pathOf(ctx)}/kode`);
        }
      },
    },
  ];
}
