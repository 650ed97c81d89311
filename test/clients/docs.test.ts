import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { clientSchema } from '#src/clients/client-schema.js';
import { weaknesses } from '#src/clients/client-weaknesses.js';
import { parseClients, type LoadOptions } from '#src/clients/clients-file.js';

const rules: LoadOptions = {
  issuer: new URL('https://sso.asn.example'),
  adminResource: 'https://sso.asn.example/api/admin',
  production: true,
  demoSecret: undefined,
  mutualTls: { authorities: true },
};
const page = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const registrations = [...page.matchAll(/<!-- registration[^>]*-->\s+```json\n([^]*?)```/g)].map(
  ([, text = '']) => JSON.parse(text) as { client_id: string },
);

describe('docs/clients.md', () => {
  it('tells every field of a registration', () => {
    const { properties = {} } = z.toJSONSchema(clientSchema(rules), { io: 'input', unrepresentable: 'any' });
    const own = (properties.x as { properties: object }).properties;
    const tables = page.slice(page.indexOf('## Every field'));
    const told = [...tables.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name).sort();
    expect(told).toEqual([...Object.keys(properties).filter((name) => name !== 'x'), ...Object.keys(own)].sort());
  });

  it('shows one registration of each kind', () => {
    expect(registrations.map(({ client_id: id }) => id)).toHaveLength(7);
  });

  it.each(registrations.map((each) => [each.client_id, each] as const))(
    '%s is accepted in production',
    (_, written) => {
      const loaded = parseClients([written], rules);
      expect(loaded.kind === 'refused' ? loaded.problems : []).toEqual([]);
    },
  );

  it('says what is weaker where check-config does', () => {
    const [, old] = registrations;
    const loaded = parseClients([old], rules);
    const fields = loaded.kind === 'refused' ? [] : loaded.clients.flatMap((client) => weaknesses(client));
    expect(fields.map(({ field }) => field).sort()).toEqual(
      ['id_token_signed_response_alg', 'redirect_uris', 'token_endpoint_auth_method', 'x.require_pkce'].sort(),
    );
  });
});
