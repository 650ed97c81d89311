import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { importJWK, type JWK } from 'jose';
import { House } from '../oidc/support/house.js';
import type { Metadata } from './support/suite.js';

// oidcc-config-certification-test-plan: one module, which reads the discovery document and the key set of an issuer
// with https, as in production.

describe('oidcc-config-certification-test-plan', () => {
  let house: House;
  let metadata: Metadata;
  beforeAll(async () => {
    house = await House.open({ issuer: 'https://sso.asn.example', style: 'standard' });
    const answer = await house.browser().call(house.address('/.well-known/openid-configuration'));
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } });
    metadata = JSON.parse(answer.body) as Metadata;
  });
  afterAll(() => house.close());

  it('oidcc-discovery-endpoint-verification', async () => {
    expect(metadata.issuer).toBe('https://sso.asn.example');
    expect(metadata).toMatchObject({
      response_types_supported: expect.arrayContaining(['code']),
      subject_types_supported: expect.arrayContaining(['public']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      claims_supported: expect.arrayContaining(['sub', 'iss', 'auth_time', 'acr']),
      grant_types_supported: expect.arrayContaining(['authorization_code']),
      scopes_supported: expect.arrayContaining(['openid']),
      code_challenge_methods_supported: ['S256'],
      claims_parameter_supported: expect.any(Boolean),
      request_uri_parameter_supported: expect.any(Boolean),
    });
    for (const [name, value] of Object.entries(metadata)) {
      if (/_endpoint$|_uri$/.test(name) && typeof value === 'string')
        expect([name, value]).toEqual([name, expect.stringMatching(/^https:/)]);
    }
    for (const endpoint of ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri']) {
      expect(metadata).toHaveProperty(endpoint);
    }

    const { keys } = JSON.parse((await house.browser().call(metadata.jwks_uri)).body) as { keys: JWK[] };
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      await importJWK(key);
      expect(key).not.toHaveProperty('d');
    }
  });
});
