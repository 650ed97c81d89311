import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MailTransport } from './transport.js';

/** A mail as the page `/dev/mail` shows it. */
export interface LocalMail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly at: Date;
}

/** Where mail goes when no SMTP server is set: files in `DATA_DIR/mail`. Never in production. */
export interface LocalOutbox extends MailTransport {
  /** Newest first. */
  list(): Promise<readonly LocalMail[]>;
  find(id: string): Promise<LocalMail | undefined>;
}

const MAX_MAILS = 200;
const NAME = /^(\d{15})-([0-9a-f-]{36})\.json$/;

export function createLocalOutbox({ folder }: { folder: string }): LocalOutbox {
  const names = async (): Promise<string[]> => {
    const found = await readdir(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    return found
      .filter((name) => NAME.test(name))
      .sort()
      .reverse();
  };
  /** Undefined when another process has just cleared it away. */
  const read = async (name: string): Promise<LocalMail | undefined> => {
    try {
      const kept = JSON.parse(await readFile(join(folder, name), 'utf8')) as LocalMail;
      return { ...kept, at: new Date(kept.at) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };

  return {
    async send({ id, to, subject, text, html, date }) {
      const mail: LocalMail = { id, to: to.address, subject, text, html, at: date };
      // The name is made of the row, so that a repetition replaces the file.
      const file = join(folder, `${String(date.getTime()).padStart(15, '0')}-${id}.json`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(`${file}.tmp`, JSON.stringify(mail, undefined, 2), { mode: 0o600 });
      await rename(`${file}.tmp`, file);
      for (const old of (await names()).slice(MAX_MAILS)) await rm(join(folder, old), { force: true });
      return { kind: 'delivered' };
    },
    async list() {
      const mails = await Promise.all((await names()).map(read));
      return mails.filter((mail) => mail !== undefined);
    },
    async find(id) {
      const name = (await names()).find((candidate) => NAME.exec(candidate)?.[2] === id);
      return name === undefined ? undefined : read(name);
    },
    close: () => undefined,
  };
}
