import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A logout token as it came, and when. */
export interface Received {
  readonly path: string;
  readonly contentType: string | undefined;
  readonly token: string;
  readonly at: Date;
}

/** The end of a relying party that is told of logouts. */
export interface LogoutReceiver {
  readonly address: string;
  /** Every token that arrived whole, answered or not. */
  readonly received: readonly Received[];
  /** What it does from now on: a status, never an answer, something that is no HTTP, or an answer after a while. */
  answer: number | 'never' | 'garbage' | { readonly afterMs: number };
  /** Leaves: connections are refused. */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

export async function startLogoutReceiver(): Promise<LogoutReceiver> {
  const received: Received[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let server: Server | undefined;
  let port = 0;

  const receiver: LogoutReceiver = {
    get address() {
      return `http://127.0.0.1:${port}/backchannel-logout`;
    },
    received,
    answer: 204,
    async goDown() {
      const leaving = server;
      server = undefined;
      leaving?.closeAllConnections();
      if (leaving !== undefined) await new Promise((resolve) => leaving.close(resolve));
    },
    async comeBack() {
      server = createServer((request, response) => {
        void read(request).then((body) => {
          received.push({
            path: request.url ?? '',
            contentType: request.headers['content-type'],
            token: new URLSearchParams(body).get('logout_token') ?? '',
            at: new Date(),
          });
          const { answer } = receiver;
          if (answer === 'never') return;
          if (answer === 'garbage') {
            response.socket?.end('220 ftp.contoh.example siap\r\n');
            return;
          }
          if (typeof answer === 'number') {
            response.writeHead(answer, answer === 302 ? { location: '/elsewhere' } : {}).end();
            return;
          }
          const timer = setTimeout(() => response.writeHead(204).end(), answer.afterMs);
          timers.add(timer);
        });
      });
      await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
      ({ port } = server.address() as AddressInfo);
    },
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await receiver.goDown();
    },
  };
  await receiver.comeBack();
  return receiver;
}
