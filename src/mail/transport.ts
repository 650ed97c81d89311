import type { Delivery } from '../outbox/worker.js';

/** One mail to one mailbox, ready to leave. */
export interface OutgoingMail {
  /** Of the outbox row: repetitions of a mail carry the same. */
  readonly id: string;
  readonly to: { readonly address: string; readonly name: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly date: Date;
}

/** The way out: an SMTP server, or the local outbox where there is none. */
export interface MailTransport {
  /** Answers how it went; expected failures are answers, not errors. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<Delivery>;
  close(): void;
}
