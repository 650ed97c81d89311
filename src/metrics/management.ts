import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Metrics } from './metrics.js';

/** One condition of being ready. */
export interface ReadinessCheck {
  /** As the answer names it: `database`, `migrations`, `clock`. */
  readonly name: string;
  /** Resolves with why not, in words without secrets, or undefined when all is well. A rejection is `unavailable`. */
  readonly problem: () => Promise<string | undefined>;
}

export interface ManagementOptions {
  readonly checks: readonly ReadinessCheck[];
  /** True from SIGTERM on: the load balancer must look elsewhere. */
  readonly draining: () => boolean;
  readonly metrics: Pick<Metrics, 'render'>;
  /** What one check may take. */
  readonly deadlineMs?: number;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

/**
 * The management listener: `/livez` (the process answers), `/readyz` (each check by name, 503 when one fails or
 * while draining) and `/metrics`. Nothing here hashes, locks or writes, and probes that come together share
 * one look at the database.
 */
export function createManagement({ checks, draining, metrics, deadlineMs = 1000 }: ManagementOptions): RequestListener {
  const run = async ({ name, problem }: ReadinessCheck) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, 'no answer in time');
    });
    const found = await Promise.race([problem().catch(() => 'unavailable'), late]);
    clearTimeout(timer);
    return found === undefined ? { name, ok: true } : { name, ok: false, problem: found };
  };

  const look = async (): Promise<Answer> => {
    const results = await Promise.all(checks.map(run));
    if (draining()) results.push({ name: 'accepting', ok: false, problem: 'draining' });
    const ready = results.every(({ ok }) => ok);
    return json(ready ? 200 : 503, { status: ready ? 'ready' : 'unready', checks: results });
  };
  let looking: Promise<Answer> | undefined;
  const readiness = (): Promise<Answer> =>
    (looking ??= look().finally(() => {
      looking = undefined;
    }));

  const answerTo = async (method: string | undefined, path: string): Promise<Answer> => {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: '' };
    switch (path) {
      case '/livez':
        return json(200, { status: 'alive' });
      case '/readyz':
        return readiness();
      case '/metrics': {
        const { contentType, body } = await metrics.render();
        return { status: 200, type: contentType, body };
      }
      default:
        return { status: 404, body: '' };
    }
  };

  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    void answerTo(request.method, path)
      .catch((): Answer => ({ status: 500, body: '' }))
      .then(({ status, type = 'text/plain; charset=utf-8', body }) => {
        response.writeHead(status, {
          'content-type': type,
          'content-length': Buffer.byteLength(body),
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'x-request-id': randomUUID(),
          ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  };
}
