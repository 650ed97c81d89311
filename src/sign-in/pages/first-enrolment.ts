import type { Clock } from '../../kernel/clock.js';
import { Refusal } from '../../kernel/refusal.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import { redirect } from '../../web/redirect.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { FirstEnrolment } from '../first-enrolment.js';
import type { RelyingParties } from '../../clients/relying-parties.js';
import type { FactorRefusals, Refused } from './factor-refusal.js';
import { PATHS, type Here, type Walk } from './walk.js';

export interface FirstEnrolmentRouteParts {
  readonly walk: Walk;
  readonly firstEnrolment: FirstEnrolment;
  readonly relyingParties: RelyingParties;
  readonly refusals: FactorRefusals;
  readonly write: PageWriter;
  readonly clock: Clock;
}

/** From proof of the mailbox over the first authenticator to the saved recovery codes. */
export function firstEnrolmentRoutes(parts: FirstEnrolmentRouteParts): Route[] {
  const { walk, firstEnrolment, relyingParties, refusals, write, clock } = parts;
  const { page, form, open, proceed, retryAfter } = walk;

  async function showMailbox(here: Here, refused?: Refused): Promise<void> {
    const emailHint = await firstEnrolment.mailboxOf(here.attempt);
    const told = takeOneOf(here.ctx, ['resent', 'code_kept']);
    write(
      here.ctx,
      'sign-in/prove-mailbox',
      { ...here.page, hasMailbox: emailHint !== undefined, emailHint, told, error: refused?.error },
      { status: refused?.status ?? 200 },
    );
  }

  async function showEnrol(here: Here, refused?: Refused & { readonly deviceName: string }) {
    const offer = await firstEnrolment.offer(here.attempt);
    if (offer === undefined) throw new Refusal('flow_expired');
    const { secret, uri, qr } = offer;
    // No use in setting up a key whose codes nobody looks at yet.
    const until = refused === undefined ? await firstEnrolment.findWait(here.attempt) : undefined;
    const { error, status } =
      until === undefined
        ? { error: refused?.error, status: refused?.status ?? 200 }
        : refusals.throttled(here.ctx, until);
    const deviceName = refused?.deviceName;
    write(here.ctx, 'sign-in/enrol', { ...here.page, secret, otpauthUri: uri, qr, deviceName, error }, { status });
  }

  const showCodes = ({ ctx, page: common, attempt }: Here, error?: PageError): void => {
    write(
      ctx,
      'sign-in/recovery-codes',
      {
        ...common,
        codes: firstEnrolment.codesToSave(attempt),
        createdAt: attempt.factorAt ?? clock.now(),
        error,
      },
      { status: error === undefined ? 200 : 422 },
    );
  };

  return [
    page('prove-mailbox', (here) => showMailbox(here)),
    form('prove-mailbox', '/mailbox', async (here, fields) => {
      const { code } = pickFields(fields, ['code']);
      const answer = await firstEnrolment.proveMailbox(here.attempt, code, visitorOf(here.ctx));
      if (answer.kind === 'accepted') await proceed(here.ctx);
      else if (answer.kind === 'code_invalid') {
        await showMailbox(here, { error: { code: 'code_invalid', field: 'code' }, status: 422 });
      } else {
        const href = relyingParties.find(here.attempt.clientId)?.href;
        const back = href === undefined ? undefined : { service: here.page.service, href };
        write(here.ctx, 'expired', { cause: 'too_many_codes', kept: 'nothing', back }, { status: 410 });
      }
    }),
    form('prove-mailbox', '/mailbox/resend', async (here, fields) => {
      pickFields(fields, []);
      const answer = await firstEnrolment.resend(here.attempt, visitorOf(here.ctx));
      if (answer.kind === 'sent') {
        leaveNotice(here.ctx, 'resent');
        redirect(here.ctx, `/sign-in/${here.uid}${PATHS['prove-mailbox']}`);
      } else {
        const retryAfterSeconds = retryAfter(here.ctx, answer.until);
        await showMailbox(here, { error: { code: 'throttled', limit: 'mails', retryAfterSeconds }, status: 429 });
      }
    }),

    page('enrol-device', (here) => showEnrol(here)),
    form('enrol-device', '/enrol', async (here, fields) => {
      const { otp, device_name: deviceName } = pickFields(fields, ['otp', 'device_name']);
      const answer = await firstEnrolment.confirm(here.attempt, { otp, deviceName }, visitorOf(here.ctx));
      if (answer.kind === 'gone') throw new Refusal('flow_expired');
      const refused =
        answer.kind === 'name_invalid'
          ? { error: { code: 'invalid_input', field: 'device_name' } as const, status: 422 }
          : refusals.of(here.ctx, answer);
      if (refused === undefined) await proceed(here.ctx);
      else await showEnrol(here, { ...refused, deviceName });
    }),

    page('save-codes', (here) => {
      showCodes(here);
    }),
    {
      method: 'GET',
      path: '/sign-in/:uid/recovery-codes.txt',
      access: 'anyone',
      async handle(ctx) {
        const { attempt, step } = await open(ctx);
        if (step !== 'save-codes') throw new Refusal('not_found');
        ctx.type = 'text/plain; charset=utf-8';
        ctx.set('Content-Disposition', 'attachment; filename="kode-pemulihan-sso-asn.txt"');
        ctx.body = `SSO ASN\r\n\r\n${firstEnrolment.codesToSave(attempt).join('\r\n')}\r\n`;
      },
    },
    form('save-codes', '/recovery-codes', async (here, fields) => {
      const { saved } = pickFields(fields, ['saved']);
      if (saved === '') {
        showCodes(here, { code: 'invalid_input', field: 'saved' });
        return;
      }
      await firstEnrolment.codesSaved(here.uid);
      await proceed(here.ctx);
    }),
  ];
}
