import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  /** Of the envelope: who really gets it. */
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** Names in lower case, each line as it came. */
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly receivedAt: Date;
}

export interface Mailbox {
  /** For `SMTP_URL`. */
  readonly url: string;
  /** Everything that came, oldest first. */
  readonly mails: readonly ReceivedMail[];
  /** The first wanted mail to the address that came after the given time; waits up to 10 seconds for it. */
  next(to: string, after?: Date, isWanted?: (mail: ReceivedMail) => boolean): Promise<ReceivedMail>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 10_000;

/** A real SMTP server that keeps what it gets. The rest of the options overrides its manners, for faults. */
export async function startMailbox({
  port: wanted = 0,
  ...manners
}: { port?: number } & SMTPServerOptions = {}): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  const waiting = new Set<() => void>();

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 200,
    logger: false,
    onData(stream, session, callback) {
      const { mailFrom, rcptTo } = session.envelope;
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        const mail = await PostalMime.parse(Buffer.concat(chunks));
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          subject: mail.subject ?? '',
          text: mail.text ?? '',
          html: mail.html ?? '',
          messageId: mail.messageId ?? '',
          headers: mail.headers.map(({ key, value }) => ({ key, value })),
          receivedAt: new Date(),
        });
        callback();
        for (const look of [...waiting]) look();
      })().catch(() => {
        // The client broke off: there is no mail, and nobody to tell.
      });
    },
    ...manners,
  });
  // A client that breaks off is a fault under test, not one of the server.
  server.on('error', () => undefined);
  server.listen(wanted, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;

  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    next: (to, after = new Date(0), isWanted = () => true) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`no mail came to ${to} after ${after.toISOString()}; ${mails.length} came in all`));
        }, PATIENCE_MS);
        const look = (): void => {
          const mail = mails.find((each) => each.to.includes(to) && each.receivedAt >= after && isWanted(each));
          if (mail === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(mail);
        };
        waiting.add(look);
        look();
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  };
}
