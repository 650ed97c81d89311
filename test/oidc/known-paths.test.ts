import { describe, expect, it } from '@jest/globals';
import { ENDPOINTS } from '#src/oidc/endpoints.js';
import { knownPaths } from '#src/oidc/provider/known-paths.js';
import { House } from './support/house.js';

const STYLES = [
  ['standard', '', ENDPOINTS.standard],
  ['keycloak', '/realms/asn', ENDPOINTS.keycloak],
] as const;

describe.each(STYLES)('the paths of the provider, %s', (_, mount, endpoints) => {
  const isKnown = knownPaths(mount, endpoints);
  const { registration, code_verification: devices, ...served } = endpoints;

  it('are its endpoints and the ways back into a passage', () => {
    for (const path of [
      ...Object.values(served),
      `${endpoints.end_session}/confirm`,
      `${endpoints.end_session}/success`,
      `${endpoints.authorization}/Abc-_123`,
      `${devices}/Abc-_123`,
    ]) {
      expect([path, isKnown(`${mount}${path}`)]).toEqual([path, true]);
    }
  });

  it('are no other ones, nor the same in other letters', () => {
    for (const path of [
      registration,
      devices,
      `${devices}/`,
      devices.toUpperCase(),
      ...Object.values(served).flatMap((each) => [`${each}/`, each.toUpperCase(), `/${each}`, `${each}%20`]),
      `${devices.toUpperCase()}/Abc-_123`,
      `${endpoints.token}/Abc`,
      `${endpoints.authorization}/Abc/`,
      `${endpoints.authorization}/a%2fb`,
      '/interaction/Abc',
    ]) {
      expect([path, isKnown(`${mount}${path}`)]).toEqual([path, false]);
    }
  });
});

// What the router of the provider takes for the same must not reach it: our rules go by the path.
it('an endpoint in other letters is none', async () => {
  const house = await House.open();
  for (const path of ['/OIDC/AUTH', '/oidc/auth/', '/oidc/TOKEN', '/oidc/Logout', '/oidc/JWKS', '/oidc/register']) {
    expect([path, (await house.browser().call(house.address(path))).status]).toEqual([path, 404]);
    const posted = await house.browser().call(house.address(path), { form: { client_id: 'web' } });
    expect([path, posted.status]).toEqual([path, 404]);
  }
  await house.close();
});
