import { createTransport, type NodemailerError } from 'nodemailer';
import type { Delivery } from '../outbox/worker.js';
import { parseSender } from './address.js';
import type { MailTransport } from './transport.js';

export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with user and password where the server wants them. */
  readonly url: string;
  readonly from: string;
  /** Demands STARTTLS of an `smtp://` server. May be false for a loopback host only. */
  readonly requireTls: boolean;
  readonly maxConnections?: number;
  /** Deadline of each wait: connection, greeting, answer. The worker bounds the whole. */
  readonly timeoutMs?: number;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i;

/**
 * Only a verdict on this very mail is final. A refused login, sender or session, or a missing STARTTLS is ours to
 * mend, and until then the mail waits.
 */
const isVerdict = (error: NodemailerError): boolean =>
  error.permanent === true && (error.command === 'RCPT TO' || error.command === 'DATA');

/** A code made of the reply's number or the socket's error: the server's words may quote the address. */
const reasonOf = (error: NodemailerError): string =>
  error.responseCode === undefined ? (error.originalCode ?? error.code ?? 'unknown') : `smtp_${error.responseCode}`;

/** Sends through a pool of connections (a connection for each mail costs 50 times as much). */
export function createSmtpTransport({
  url,
  from,
  requireTls,
  maxConnections = 5,
  timeoutMs = 10_000,
}: SmtpOptions): MailTransport {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  if (!secure && !requireTls && !LOOPBACK.test(hostname))
    throw new Error('STARTTLS may only be waived for a loopback host');
  const sender = parseSender(from);
  const pool = createTransport({
    pool: true,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(port === '' ? {} : { port: Number(port) }),
    secure,
    // Without the demand there is a mail catcher on this machine, whose certificate nobody signed.
    ...(secure || requireTls ? { requireTLS: true } : { ignoreTLS: true }),
    ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    maxConnections,
    // Repetition is the outbox's business, or one row could become several mails.
    maxRequeues: 0,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  return {
    async send(mail, signal): Promise<Delivery> {
      try {
        await pool.sendMail({
          // Objects, never text: a text is parsed, and one address may become two.
          from: { address: sender.address, name: sender.name },
          to: { address: mail.to.address, name: mail.to.name },
          envelope: { from: sender.address, to: [mail.to.address] },
          messageId: `<${mail.id}@${sender.domain}>`,
          date: mail.date,
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          // RFC 3834: out-of-office notices stay away.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        });
        return { kind: 'delivered' };
      } catch (error) {
        const failure = error as NodemailerError;
        return { kind: isVerdict(failure) ? 'refused' : 'retry', reason: reasonOf(failure) };
      }
    },
    close: () => {
      pool.close();
    },
  };
}
