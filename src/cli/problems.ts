import type { ConfigError } from '../config/load.js';

/** Writes one line on stderr for each problem of the settings. */
export function printProblems(error: ConfigError): void {
  for (const { setting, message } of error.problems) process.stderr.write(`${setting} ${message}\n`);
}

/** What went wrong, as one line for the operator; stacks are for bugs only. */
export function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const line = error.message.split('\n', 1)[0] ?? error.name;
  return 'code' in error && error.code === 'EADDRINUSE'
    ? `${line}; choose free ones with PORT and MANAGEMENT_PORT`
    : line;
}
