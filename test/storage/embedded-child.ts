/** A program with an embedded database, to be killed: `embedded-child.ts DATA_DIR`. Ends in order when stdin does. */
import { once } from 'node:events';
import { startEmbeddedPostgres } from '#src/storage/embedded-postgres.js';

const silent = (): undefined => undefined;
const embedded = await startEmbeddedPostgres({
  dataDir: process.argv[2] ?? '',
  log: { debug: silent, info: silent, warn: silent, error: silent },
});
process.stdout.write(`${JSON.stringify({ url: embedded.url, startedHere: embedded.startedHere })}\n`);
await once(process.stdin.resume(), 'end');
await embedded.stop();
