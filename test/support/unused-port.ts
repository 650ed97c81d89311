import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that a system gives to whoever asks for any: nobody is given one of these before it is listened on. */
const FIRST = 15_000;
const PAIRS = 8_000;

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** A port of this machine on which nobody listens. Workers that run side by side never get the same one. */
export async function unusedPort(): Promise<number> {
  for (;;) {
    const port = FIRST + 2 * randomInt(PAIRS) + (Number(process.env.JEST_WORKER_ID ?? '0') % 2);
    if (await isFree(port)) return port;
  }
}
