import type { ConfigError } from '../config/load.js';

/** Writes one line on stderr for each problem of the settings. */
export function printProblems(error: ConfigError): void {
  for (const { setting, message } of error.problems) process.stderr.write(`${setting} ${message}\n`);
}

/** What went wrong, as one line for the operator; stacks are for bugs only. */
export const lineOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n', 1)[0] ?? error.name) : String(error);
