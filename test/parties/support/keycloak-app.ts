import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { BrowserApp, BrowserAppOptions } from './browser-app.js';

const LIBRARY = new URL(import.meta.resolve('keycloak-js'));

/** Shows in `#state` what became of it; `keycloak` is the library's object, for what a test asks of it. */
const page = `<!doctype html>
<html lang="id">
  <head><meta charset="utf-8" /><title>Aplikasi Keycloak</title><link rel="icon" href="data:," /></head>
  <body>
    <main data-page="app">
      <output id="state"></output>
      <button id="login">Masuk</button>
      <button id="logout">Keluar</button>
    </main>
    <script type="module" src="/app.js"></script>
  </body>
</html>`;

// As the documentation of keycloak-js has it, with everything that it does by itself: frames, fragment, check-sso.
const script = (settings: object): string => `
import Keycloak from '/keycloak.js';
const keycloak = new Keycloak(${JSON.stringify(settings)});
globalThis.keycloak = keycloak;
const show = (text) => { document.getElementById('state').textContent = text; };
const home = location.origin + '/';
keycloak.onAuthLogout = () => show('lost');
document.getElementById('login').onclick = () => keycloak.login({ redirectUri: home });
document.getElementById('logout').onclick = () => keycloak.logout({ redirectUri: home });
try {
  const signedIn = await keycloak.init({ onLoad: 'check-sso', pkceMethod: 'S256', redirectUri: home, messageReceiveTimeout: 3000 });
  show(signedIn ? 'signed in' : 'nobody');
} catch (error) {
  show('failed: ' + (error?.message ?? JSON.stringify(error)));
}
`;

/** An application without a server that uses keycloak-js, at `/` of its origin. */
export async function startKeycloakApp({ port, issuer, clientId }: BrowserAppOptions): Promise<BrowserApp> {
  const library = await readFile(LIBRARY);
  const [url, realm] = issuer.split('/realms/');
  const files: Readonly<Record<string, readonly [type: string, content: string | Buffer]>> = {
    '/keycloak.js': ['text/javascript', library],
    '/app.js': ['text/javascript', script({ url, realm, clientId })],
  };
  const server = createServer((request, response) => {
    const [type, content] = files[(request.url ?? '').split('?')[0] ?? ''] ?? ['text/html; charset=utf-8', page];
    response.writeHead(200, { 'content-type': type }).end(content);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://localhost:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
