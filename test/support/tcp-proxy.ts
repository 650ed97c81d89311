import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between two programs, to lose what they say to each other or to choose who is spoken to. */
export interface TcpProxy {
  readonly port: number;
  /** From now on nothing gets through in either direction, and nobody is told (F-23). */
  blackhole(): void;
  /** From now on connections are closed as soon as they come. */
  refuse(): void;
  /** All is well again; what was on its way arrives. */
  heal(): void;
  stop(): Promise<void>;
}

/** @param targets the ports to try for a new connection, in this order. */
export async function startTcpProxy(targets: () => readonly number[]): Promise<TcpProxy> {
  let mode: 'forward' | 'blackhole' | 'refuse' = 'forward';
  const sockets = new Set<Socket>();
  /** Those that are joined to another one. */
  const joined = new Set<Socket>();
  /** Connections that came while nothing got through. */
  let unheard: (() => void)[] = [];

  function join(client: Socket, server: Socket): void {
    const both = [client, server];
    const end = (): void => {
      for (const socket of both) {
        sockets.delete(socket);
        joined.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of both) {
      sockets.add(socket);
      joined.add(socket);
      socket.setNoDelay(true).on('error', end).on('close', end);
    }
    client.pipe(server);
    server.pipe(client);
    if (mode === 'blackhole') for (const socket of both) socket.pause();
  }

  function forward(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined || client.destroyed) {
      client.destroy();
      return;
    }
    const server = connect({ port, host: '127.0.0.1' });
    const next = (): void => {
      forward(client, others);
    };
    server.once('error', next);
    server.once('connect', () => {
      server.off('error', next);
      if (client.destroyed) server.destroy();
      else join(client, server);
    });
  }

  const proxy = createServer({ pauseOnConnect: true }, (client) => {
    client.on('error', () => undefined);
    sockets.add(client);
    client.once('close', () => sockets.delete(client));
    if (mode === 'refuse') client.destroy();
    else if (mode === 'forward') forward(client, targets());
    else
      unheard.push(() => {
        forward(client, targets());
      });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    unheard = [];
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    blackhole() {
      mode = 'blackhole';
      for (const socket of joined) socket.pause();
    },
    refuse() {
      mode = 'refuse';
      cut();
    },
    heal() {
      mode = 'forward';
      for (const socket of joined) socket.resume();
      for (const hear of unheard.splice(0)) hear();
    },
    async stop() {
      cut();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
