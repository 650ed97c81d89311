import type { Endpoints } from '../endpoints.js';

/** The ways back into a passage, which end in the id of an interaction. */
const ONE_PASSAGE = /^(?<before>.+)\/[\w-]{1,64}$/;

/**
 * Whether the provider answers at a path, letter for letter. Its router would take others for the same (in capitals,
 * with a slash at the end), and each rule of ours that goes by the path would be open there. Not among them: its own
 * form for user codes, which our pages stand in for, and its registration, which ours stands in for.
 */
export function knownPaths(mount: string, endpoints: Endpoints): (path: string) => boolean {
  const { registration, code_verification: devices } = endpoints;
  const known = new Set(
    [
      ...Object.values({ ...endpoints }).filter((path) => path !== registration && path !== devices),
      `${endpoints.end_session}/confirm`,
      `${endpoints.end_session}/success`,
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
    ].map((path) => `${mount}${path}`),
  );
  const passages = [endpoints.authorization, devices].map((path) => `${mount}${path}`);
  const ofForm = `${mount}${devices}`;
  return (path) =>
    known.has(path) || (path !== ofForm && passages.includes(ONE_PASSAGE.exec(path)?.groups?.before ?? ''));
}
