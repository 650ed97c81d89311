import type { Log } from '#src/kernel/log.js';

/** What a log must never hold: NIP-shaped numbers, e-mail addresses, codes as mailed. */
const PERSONAL = /(?<![0-9])[0-9]{18}(?![0-9])|[\w.+-]+@[\w-]+\.[a-z]{2,}|\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/;

export interface QuietLog extends Log {
  readonly lines: readonly { readonly level: string; readonly message: string; readonly fields: object }[];
}

/** Keeps lines for tests and throws when one holds what no log may hold. */
export function quietLog(): QuietLog {
  const lines: { level: string; message: string; fields: object }[] = [];
  const at =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      const text = JSON.stringify({ message, ...fields });
      const found = PERSONAL.exec(text)?.[0];
      if (found !== undefined) throw new Error(`a log line holds personal data: ${found.slice(0, 4)}...`);
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
