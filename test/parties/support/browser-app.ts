import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { example, replaced } from './guide.js';

/** One file that needs no bundler, beside the package's entry for Node.js. */
const LIBRARY = new URL('../browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts'));

/** An application without a server: files, and all of OpenID Connect in the browser. */
export interface BrowserApp {
  readonly origin: string;
  stop(): Promise<void>;
}

/** What the application's own script is told. */
export interface BrowserAppOptions {
  readonly port: number;
  readonly issuer: string;
  readonly clientId: string;
}

/**
 * The page shows what became of it: `#state`, the claims in `#claims`, how often it renewed in `#renewals`. `manager`
 * is the library's UserManager, for what a test asks of it.
 */
const page = `<!doctype html>
<html lang="id">
  <head><meta charset="utf-8" /><title>Aplikasi peramban</title><link rel="icon" href="data:," /></head>
  <body>
    <main data-page="app">
      <output id="state"></output>
      <output id="renewals">0</output>
      <pre id="claims"></pre>
      <button id="login">Masuk</button>
      <button id="logout">Keluar</button>
    </main>
    <script src="/oidc-client-ts.js"></script>
    <script type="module" src="/app.js"></script>
  </body>
</html>`;

/** The settings are those of docs/relying-parties.md. */
const script = (settings: string): string => `
const { UserManager, WebStorageStateStore } = globalThis.oidc;
${settings}
globalThis.manager = manager;

const show = (id, text) => { document.getElementById(id).textContent = text; };
let renewals = 0;
manager.events.addUserLoaded((user) => {
  renewals += 1;
  show('renewals', renewals);
  show('claims', JSON.stringify(user.profile));
});
manager.events.addSilentRenewError((error) => show('state', 'renewal failed: ' + error.message));
document.getElementById('login').onclick = () => manager.signinRedirect();
document.getElementById('logout').onclick = () => manager.signoutRedirect();

if (location.pathname === '/callback') {
  await manager.signinCallback();
  history.replaceState({}, '', '/');
}
const user = await manager.getUser();
show('claims', JSON.stringify(user?.profile ?? {}));
show('state', user ? 'signed in' : location.pathname === '/signed-out' ? 'signed out' : 'nobody');
`;

export async function startBrowserApp({ port, issuer, clientId }: BrowserAppOptions): Promise<BrowserApp> {
  const library = await readFile(LIBRARY);
  const origin = `http://localhost:${port}`;
  const written = await example('oidc-client-ts.js');
  const settings = replaced(written, {
    'http://localhost:5173': origin,
    'http://localhost:3000': issuer,
    "'peramban'": JSON.stringify(clientId),
    // Three seconds into a token's ten minutes: a test does not wait for nine.
    'automaticSilentRenew: true,': 'automaticSilentRenew: true, accessTokenExpiringNotificationTimeInSeconds: 597,',
  });
  const files: Readonly<Record<string, readonly [type: string, content: string | Buffer]>> = {
    '/oidc-client-ts.js': ['text/javascript', library],
    '/app.js': ['text/javascript', script(settings)],
  };
  const server = createServer((request, response) => {
    const [type, content] = files[(request.url ?? '').split('?')[0] ?? ''] ?? ['text/html; charset=utf-8', page];
    response.writeHead(200, { 'content-type': type }).end(content);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
