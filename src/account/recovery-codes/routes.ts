import { Refusal } from '../../kernel/refusal.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { Person } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { Owner } from '../own-change.js';
import type { CodeRenewal } from './renewal.js';

const START = '/account/recovery-codes';
const NEW = '/account/recovery-codes/new';

export interface RecoveryCodeRouteParts {
  readonly renewal: CodeRenewal;
  readonly write: PageWriter;
}

const hereOf = ({ id, sessionUid }: Person): Pick<Owner, 'accountId' | 'sessionUid'> => ({ accountId: id, sessionUid });

/** A person's recovery codes: how many are left, and a new set in place of the old one. */
export function recoveryCodeRoutes({ renewal, write }: RecoveryCodeRouteParts): Route[] {
  return [
    {
      method: 'GET',
      path: START,
      access: 'person',
      async handle(ctx, person) {
        const { left, few, unsaved } = await renewal.stateOf(hereOf(person));
        const done = takeOneOf(ctx, ['codes_renewed']);
        write(ctx, 'account/recovery-codes', { left, few, unsaved, done }, { person });
      },
    },
    {
      method: 'GET',
      path: '/account/recovery-codes/renew',
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        const { left, unsaved } = await renewal.stateOf(hereOf(person));
        if (unsaved) redirect(ctx, NEW);
        else write(ctx, 'account/recovery-codes/renew', { hasCodes: left !== undefined }, { person });
      },
    },
    {
      method: 'POST',
      path: '/account/recovery-codes/renew',
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        const { kind } = await renewal.renew({ ...hereOf(person), visitor: visitorOf(ctx) });
        redirect(ctx, kind === 'made' ? NEW : START);
      },
    },
    {
      method: 'GET',
      path: NEW,
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        const shown = await renewal.show(hereOf(person));
        if (shown === undefined) redirect(ctx, START);
        else write(ctx, 'account/recovery-codes/new', shown, { person });
      },
    },
    {
      method: 'GET',
      path: `${NEW}.txt`,
      access: 'person',
      fresh: true,
      page: NEW,
      async handle(ctx, person) {
        const shown = await renewal.show(hereOf(person));
        if (shown === undefined) throw new Refusal('not_found');
        ctx.type = 'text/plain; charset=utf-8';
        ctx.set('Content-Disposition', 'attachment; filename="kode-pemulihan-sso-asn.txt"');
        ctx.body = `SSO ASN\r\n\r\n${shown.codes.join('\r\n')}\r\n`;
      },
    },
    {
      // Without the tick it shows the codes again.
      method: 'POST',
      path: NEW,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const { saved } = pickFields(fields, ['saved']);
        const shown = saved === '' ? await renewal.show(hereOf(person)) : undefined;
        if (shown !== undefined) {
          const error = { code: 'invalid_input', field: 'saved' } as const;
          write(ctx, 'account/recovery-codes/new', { ...shown, error }, { person, status: 422 });
          return;
        }
        await renewal.saved(hereOf(person));
        if (saved !== '') leaveNotice(ctx, 'codes_renewed');
        redirect(ctx, START);
      },
    },
  ];
}
