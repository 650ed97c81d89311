import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Environment } from '#src/config/load.js';
import { serve, type Running, type ServeOptions } from '#src/serve.js';
import { startMailbox, type Mailbox } from './mailbox.js';
import { quietLog } from './quiet-log.js';
import { createTestDatabase } from './test-database.js';
import { unusedPort } from './unused-port.js';

export const CAPTCHA = 'Ab3';

export interface TestSite {
  readonly origin: string;
  readonly running: Running;
  readonly mailbox: Mailbox;
  stop(): Promise<void>;
}

/** The whole program in this process: real PostgreSQL, real SMTP, real HTTP. Demo people and sample apps inside. */
export async function startSite(
  settings: Environment | ((origin: string) => Promise<Environment>) = {},
  options: ServeOptions = {},
): Promise<TestSite> {
  const database = await createTestDatabase();
  const mailbox = await startMailbox();
  const dataDir = await mkdtemp(join(tmpdir(), 'sso-asn-site-'));
  const port = await unusedPort();
  const origin = `http://localhost:${port}`;
  const config = loadConfig({
    HOST: '127.0.0.1',
    PORT: String(port),
    MANAGEMENT_PORT: '0',
    ISSUER: origin,
    DATABASE_URL: database.url,
    DATABASE_POOL: '10',
    DATA_DIR: dataDir,
    SMTP_URL: mailbox.url,
    DEMO: 'true',
    CAPTCHA_TEST_ANSWER: CAPTCHA,
    NOTICE_MERGE_SECONDS: '0',
    ...(process.env.TEST_REDIS_URL === undefined ? {} : { REDIS_URL: process.env.TEST_REDIS_URL }),
    ...(typeof settings === 'function' ? await settings(origin) : settings),
  });
  const running = await serve(config, quietLog(), options);
  return {
    origin,
    running,
    mailbox,
    async stop() {
      await running.stop();
      await mailbox.stop();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
