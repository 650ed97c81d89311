import { request } from 'node:http';

/**
 * What `fetch` does for a page that a person opens. Node's own says in `Sec-Fetch-Mode` that a script is asking, and
 * cannot be told otherwise; relying parties answer scripts with 401 and send only people to the login.
 */
export function navigate(url: URL, init: RequestInit): Promise<Response> {
  const headers = {
    accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    ...(init.headers as Record<string, string>),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: init.method ?? 'GET', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { rawHeaders, statusCode = 0 } = response;
        const pairs = rawHeaders.flatMap((name, at): [string, string][] =>
          at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [],
        );
        const body = statusCode === 204 || statusCode === 304 ? null : Buffer.concat(chunks);
        resolve(new Response(body, { status: statusCode, headers: new Headers(pairs) }));
      });
    });
    sent.on('error', reject);
    sent.end(init.body as string | undefined);
  });
}
