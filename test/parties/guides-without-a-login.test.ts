import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { makeTemporaryFolder } from '../support/temporary-folder.js';
import { example } from './support/guide.js';
import { startPartySite, type PartySite } from './support/party-site.js';

// The guides of docs/relying-parties.md for those who log nobody in by themselves, in the shell they are written for.

const API = 'https://api.asn.example/arsip';
const NEXT = 'https://api.asn.example/gaji';

let folder: string;
let house: PartySite;
beforeAll(async () => {
  folder = await makeTemporaryFolder('sso-asn-guides-');
  for (const name of ['new-key.sh', 'public-key.sh']) await sh(await example(name));
  const jwks = JSON.parse(await readFile(join(folder, 'jwks.json'), 'utf8')) as object;
  await writeFile(join(folder, 'assertion.sh'), await example('assertion.sh'));
  house = await startPartySite({
    registrations: [
      {
        client_id: 'sinkron',
        client_name: 'Sinkronisasi Arsip',
        grant_types: ['client_credentials'],
        jwks,
        x: { agency: '3300', resources: { [API]: ['baca', 'tulis'] } },
      },
      {
        client_id: 'layanan',
        client_name: 'Layanan Arsip',
        grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
        jwks,
        x: { serves: [API], resources: { [NEXT]: ['baca'] } },
      },
    ],
  });
});
afterAll(async () => {
  await house.stop();
  await rm(folder, { recursive: true, force: true });
});

const sh = async (script: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: folder, env: { ...process.env, ...env } });
  return stdout;
};
const asked = async (script: string, env: Readonly<Record<string, string>> = {}) =>
  JSON.parse(await sh(script, { ISSUER: house.issuer, ...env })) as Record<string, string>;

describe('the guides for services', () => {
  it('make a key that nobody else can read', async () => {
    expect((await stat(join(folder, 'key.json'))).mode & 0o777).toBe(0o600);
  });

  it('get a token for an API, with the scope that was asked for', async () => {
    const { access_token: token = '', scope } = await asked(await example('service.sh'));
    expect(scope).toBe('baca');
    expect(decodeJwt(token)).toMatchObject({ aud: API, sub: 'sinkron', client_id: 'sinkron', scope, agency: '3300' });
  });

  it('tell what is missing when the API is not named', async () => {
    const script = (await example('service.sh')).replace(`-d resource=${API} `, '');
    expect(await asked(script)).toMatchObject({ error: 'invalid_scope' });
  });

  it('cannot exchange a token of a service, as they say', async () => {
    const { access_token: token = '' } = await asked(await example('service.sh'));
    const exchange = `. ./assertion.sh\n${await example('exchange.sh')}`;
    const env = { TOKEN: token, TOKEN_ENDPOINT: `${house.site.origin}/oidc/token` };
    expect(await asked(exchange, env)).toEqual({
      error: 'invalid_request',
      error_description: 'the token cannot be exchanged',
    });
  });
});
