import { pino } from 'pino';
import type { Log } from '../kernel/log.js';

/** JSON lines on stdout: `time` (ISO 8601, UTC), `level`, `msg` and the fields. Control characters are escaped. */
export function pinoLog(level: 'debug' | 'info' | 'warn' | 'error'): Log {
  const logger = pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: object = {}) => {
      logger[name](fields, message);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
