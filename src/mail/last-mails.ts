import { latestUnsent } from '../outbox/outbox.js';
import type { Queryable } from '../storage/database.js';
import { MAIL } from './delivery.js';
import { selectSent, upsertSent } from './last-mail-store.js';

/** `sent`: a mail server took it. `waiting`: not yet. `failed`: given up, and nobody has it. */
export type MailFate = 'sent' | 'waiting' | 'failed';

export interface LastMail {
  /** When it was written. */
  readonly at: Date;
  readonly fate: MailFate;
}

/** A mail to somebody has left. */
export const recordSent = (
  db: Queryable,
  sent: { readonly accountId: string; readonly queuedAt: Date; readonly now: Date },
): Promise<void> => upsertSent(db, sent);

/**
 * What became of the last mail to somebody, as far as is known: a mail server that took one and loses it does not tell.
 * One that grew too old to be sent is forgotten; the one before it is told then.
 */
export async function lastMailTo(db: Queryable, accountId: string): Promise<LastMail | undefined> {
  const unsent = await latestUnsent(db, { kind: MAIL, accountId });
  const sentAt = await selectSent(db, accountId);
  if (unsent !== undefined && (sentAt === undefined || unsent.createdAt > sentAt)) {
    return { at: unsent.createdAt, fate: unsent.dead ? 'failed' : 'waiting' };
  }
  return sentAt && { at: sentAt, fate: 'sent' };
}
