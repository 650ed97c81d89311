import { NOTHING, type Outbox } from '../outbox/outbox.js';
import type { Queryable } from '../storage/database.js';
import type { Mailbox } from './address.js';
import { MAIL, type QueuedMail } from './delivery.js';
import type { DisavowLink, LetterKind, Letters, NoticeEvent } from './mails.js';
import type { MailWriter } from './templates.js';

/** What a mail of several notices is called in the metrics. */
const SEVERAL = 'several-notices';

export interface MailOrder<Kind extends LetterKind> {
  /** From the database, never from a form. Undefined: a decoy that does the same work and is thrown away. */
  readonly to: Mailbox | undefined;
  /** Whose mailbox it is. */
  readonly accountId: string | undefined;
  readonly mail: Kind;
  readonly data: Letters[Kind];
  readonly locale: 'id' | 'en';
  /** From then on it is not sent any more: for mails with codes. */
  readonly expiresAt?: Date | undefined;
  /** While a mail with this key waits, another one is not queued. */
  readonly dedupKey?: string | undefined;
}

export interface NoticeOrder {
  readonly to: Mailbox;
  readonly accountId: string;
  readonly locale: 'id' | 'en';
  readonly events: readonly NoticeEvent[];
  readonly disavow: DisavowLink | undefined;
}

export interface Mailer {
  /** Queues a mail that leaves within two seconds of the caller's commit, and never without it. */
  queue<Kind extends LetterKind>(tx: Queryable, order: MailOrder<Kind>): Promise<void>;
  /** The same for one mail that tells of everything given. */
  queueNotices(tx: Queryable, order: NoticeOrder): Promise<void>;
}

/** Mails are written when they are queued, and wait sealed: they hold codes and addresses. */
export function createMailer({ outbox, render }: { outbox: Outbox; render: MailWriter }): Mailer {
  return {
    async queue(tx, { to, accountId, mail, data, locale, expiresAt, dedupKey }) {
      const written = render.letter(mail, data, locale);
      const payload: QueuedMail = { mail, to: { address: to?.address ?? '', name: to?.name }, ...written };
      await outbox.add(tx, { kind: to === undefined ? NOTHING : MAIL, payload, accountId, expiresAt, dedupKey });
    },

    async queueNotices(tx, { to, accountId, events, locale, disavow }) {
      const [only, ...others] = events;
      const mail = others.length === 0 ? (only?.kind ?? SEVERAL) : SEVERAL;
      const payload: QueuedMail = { mail, to: { ...to }, ...render.notices(events, locale, disavow) };
      await outbox.add(tx, { kind: MAIL, payload, accountId });
    },
  };
}
