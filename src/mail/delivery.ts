import { z } from 'zod';
import type { OutboxHandler } from '../outbox/worker.js';
import { plainAddress, plainName } from './address.js';
import type { MailTransport } from './transport.js';

/** The kind of mails in the outbox. */
export const MAIL = 'mail';

/** What the outbox keeps of a mail, sealed. */
const queuedMail = z.object({
  /** Kind of mail, for the metrics. */
  mail: z.string(),
  to: z.object({ address: z.string(), name: z.string().optional() }),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
});

export type QueuedMail = z.infer<typeof queuedMail>;

export interface MailDeliveryOptions {
  readonly transport: MailTransport;
  readonly onOutcome?: (mail: string, outcome: 'delivered' | 'retry' | 'refused') => void;
  /** Keeps that a mail to somebody left, for officers who are asked where it is. */
  readonly recordSent?: (sent: { accountId: string; queuedAt: Date }) => Promise<void>;
}

/** Delivers queued mails: the last look at the address before it meets the mail server. */
export function createMailDelivery({ transport, onOutcome, recordSent }: MailDeliveryOptions): OutboxHandler {
  return async ({ id, createdAt, payload, accountId }, signal) => {
    const { mail, to, ...content } = queuedMail.parse(payload);
    const address = plainAddress(to.address);
    const delivery =
      address === undefined
        ? ({ kind: 'refused', reason: 'address' } as const)
        : await transport.send({ id, to: { address, name: plainName(to.name) }, ...content, date: createdAt }, signal);
    onOutcome?.(mail, delivery.kind);
    // It has left: it must not leave again because this could not be kept.
    if (delivery.kind === 'delivered' && accountId !== undefined)
      await recordSent?.({ accountId, queuedAt: createdAt }).catch(() => undefined);
    return delivery;
  };
}
