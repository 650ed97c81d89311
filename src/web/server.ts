import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listener {
  readonly address: AddressInfo;
  /**
   * Goes on answering, and from now on ends each connection with its answer: kept-alive ones would be cut while their
   * next request is on its way. The balancer gives what comes next to somebody else.
   */
  retire(): void;
  /** Stops taking connections, lets requests under way finish, cuts what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** What the parser gives up on, before there is a request. */
const STATUS_OF: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Deadlines and sizes of R-48. */
export const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
  maxConnections: 10_000,
};

export interface ListenAt {
  readonly host: string;
  readonly port: number;
  /** How many connections one address may hold. Only where clients connect by themselves: a proxy is one address. */
  readonly maxPerAddress?: number;
  /** In place of those of {@link LIMITS}. */
  readonly limits?: Partial<typeof LIMITS>;
}

/** One client with many connections is closed at its own door and does not fill the house. */
function limitPerAddress(server: Server, most: number): void {
  const held = new Map<string, number>();
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (held.get(address) ?? 0) + 1;
    held.set(address, count);
    socket.once('close', () => {
      const left = (held.get(address) ?? 1) - 1;
      if (left === 0) held.delete(address);
      else held.set(address, left);
    });
    if (count > most) socket.destroy();
  });
}

/** Starts an HTTP listener. Rejects when the address cannot be had. */
export async function listen(handler: RequestListener, at: ListenAt): Promise<Listener> {
  const { host, port, limits, maxPerAddress = Number.POSITIVE_INFINITY } = at;
  const { maxConnections, ...options } = { ...LIMITS, ...limits };
  const server: Server = createServer(options, handler);
  server.maxConnections = maxConnections;
  limitPerAddress(server, maxPerAddress);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = STATUS_OF[error.code ?? ''] ?? '400 Bad Request';
    const cut = (): void => {
      socket.destroy();
    };
    // Ended is not closed: who sends without end would keep the socket.
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, cut);
    else cut();
  });
  const underWay = new Set<ServerResponse>();
  let retired = false;
  const endWithAnswer = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  // Before the handler, which may answer at once.
  server.prependListener('request', (_, response) => {
    if (retired) endWithAnswer(response);
    underWay.add(response);
    response.once('close', () => {
      underWay.delete(response);
      if (server.listening) return;
      setImmediate(() => {
        server.closeIdleConnections();
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const retire = (): void => {
    retired = true;
    underWay.forEach(endWithAnswer);
  };
  return {
    address: server.address() as AddressInfo,
    retire,
    drain: (graceMs) =>
      new Promise((resolve) => {
        retire();
        const cut = setTimeout(() => {
          server.closeAllConnections();
        }, graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
