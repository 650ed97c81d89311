import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listener {
  readonly address: AddressInfo;
  /** Stops taking connections, lets requests under way finish, cuts what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/** Starts an HTTP listener with the deadlines and sizes of R-48. */
export async function listen(handler: RequestListener, at: { host: string; port: number }): Promise<Listener> {
  const server: Server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 2_000,
      maxHeaderSize: 16 * 1024,
    },
    handler,
  );
  server.maxConnections = 10_000;
  // A request that cannot be parsed gets a plain 400; the default would leave the socket to the client.
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    address: server.address() as AddressInfo,
    drain: (graceMs) =>
      new Promise((resolve) => {
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
