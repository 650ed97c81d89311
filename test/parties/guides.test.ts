import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseClients } from '#src/clients/clients-file.js';
import { DEMO_PEOPLE } from '#src/demo/people.js';
import type { Person } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { unusedPort } from '../support/unused-port.js';
import { example, guide, registrations } from './support/guide.js';
import { confirmLogout, signIn, startPartySite, type PartySite } from './support/party-site.js';

// What docs/relying-parties.md tells a developer to do, done as it stands there.

describe('the guides for relying parties', () => {
  it('show registrations that are accepted', async () => {
    const all = await registrations();
    expect(all.length).toBeGreaterThanOrEqual(7);
    const issuer = new URL('http://localhost:3000');
    const adminResource = 'http://localhost:3000/api/admin';
    const loaded = parseClients(all, { issuer, adminResource, production: false, demoSecret: undefined });
    expect(loaded).toMatchObject({ kind: 'loaded' });
  });

  it('name demo people who exist, with their passwords', async () => {
    const rows = [...(await guide()).matchAll(/^\| `(\d{18})` _([^_]+)_ +\| (?:`([^`]+)`|none yet)/gm)];
    expect(rows).toHaveLength(4);
    for (const [, nip, name, password] of rows) {
      expect(DEMO_PEOPLE).toContainEqual(expect.objectContaining({ nip, name, ...(password && { password }) }));
    }
  });

  it('link to headings that are there', async () => {
    const page = await guide();
    const anchors = [...page.matchAll(/^###? (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);
    expect(links.length).toBeGreaterThan(10);
    for (const anchor of links) expect(anchors).toContain(anchor);
  });
});

describe('the example with openid-client', () => {
  let folder: string;
  let house: PartySite;
  let app: ChildProcess;
  let home: string;
  let browser: Person;
  let complaint = '';

  const run = async (name: string): Promise<void> => {
    await promisify(execFile)('sh', ['-c', await example(name)], { cwd: folder });
  };

  beforeAll(async () => {
    // Below node_modules, so that the example finds its library.
    const cache = join(process.cwd(), 'node_modules', '.cache');
    await mkdir(cache, { recursive: true });
    folder = await mkdtemp(join(cache, 'sso-asn-guide-'));
    await run('new-key.sh');
    await run('public-key.sh');
    const jwks = JSON.parse(await readFile(join(folder, 'jwks.json'), 'utf8')) as object;
    const port = await unusedPort();
    home = `http://localhost:${port}`;
    house = await startPartySite({
      registrations: [
        {
          client_id: 'arsip',
          client_name: 'Arsip Digital',
          redirect_uris: [`${home}/callback`],
          post_logout_redirect_uris: [`${home}/`],
          grant_types: ['authorization_code', 'refresh_token'],
          jwks,
        },
      ],
    });
    await writeFile(join(folder, 'app.mjs'), await example('app.mjs'));
    app = spawn(process.execPath, ['app.mjs'], {
      cwd: folder,
      env: { PATH: process.env.PATH, ISSUER: house.issuer, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    app.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    await eventually('the example to listen', () => {
      if (app.exitCode !== null) throw new Error(`the example ended: ${complaint}`);
      return fetch(home).then(
        () => true,
        () => false,
      );
    });
    browser = house.browser();
  });
  afterAll(async () => {
    const gone = once(app, 'exit');
    app.kill();
    await gone;
    await house.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const shown = (): unknown => JSON.parse(browser.shown.html);

  it('logs in, refreshes and logs out', async () => {
    const person = await house.person();
    await browser.get(`${home}/login`);
    expect(browser.shown.page).toBe('sign-in/password');
    await signIn(browser, person);
    expect(browser.shown.url.href).toBe(`${home}/`);
    expect(shown()).toMatchObject({ sub: person.id, nip: person.nip, acr: 'urn:asn:aal2' });
    await browser.get(`${home}/refresh`);
    expect(shown()).toEqual({ renewed: true });
    expect((await confirmLogout(browser, `${home}/logout`)).url.href).toBe(`${home}/`);
    expect(shown()).toEqual({ hint: 'go to /login' });
    await browser.get(`${home}/login`);
    expect(browser.shown.page).toBe('sign-in/password');
    expect(complaint).toBe('');
  });

  it('tells what is wrong with an answer that is not its own', async () => {
    await browser.get(`${home}/callback?code=made-up&state=made-up&iss=${encodeURIComponent(house.issuer)}`);
    expect(browser.shown.status).toBe(400);
  });
});
