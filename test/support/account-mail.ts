import { fileURLToPath } from 'node:url';
import { createAccountMail, type AccountMail } from '#src/accounts/account-mail.js';
import { createDisavowals } from '#src/accounts/disavowals.js';
import type { Clock } from '#src/kernel/clock.js';
import { createMailer } from '#src/mail/mailer.js';
import { createMailTemplates } from '#src/mail/templates.js';
import { createOutbox } from '#src/outbox/outbox.js';
import type { SealedBox } from '#src/security/sealed-box.js';

const ORIGIN = 'https://sso.contoh.test';

/** Mail to people with all its real parts, up to the outbox; each notice leaves at once unless told otherwise. */
export function accountMailWith(parts: { box: SealedBox; clock: Clock; mergeSeconds?: number }): AccountMail {
  const { box, clock, mergeSeconds = 0 } = parts;
  const brand = { name: 'SSO ASN', portal: 'ASN Digital', institution: 'Badan', host: new URL(ORIGIN).host };
  const directory = fileURLToPath(new URL('../../views', import.meta.url));
  const outbox = createOutbox({ box, clock });
  const mailer = createMailer({ outbox, render: createMailTemplates({ directory, brand }) });
  const disavowals = createDisavowals({ box, clock, origin: ORIGIN });
  return createAccountMail({ mailer, outbox, disavowals, box, clock, mergeSeconds });
}
