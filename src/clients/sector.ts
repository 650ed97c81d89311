import { isLoopback } from './client-addresses.js';

interface Addresses {
  readonly client_id: string;
  readonly subject_type?: 'public' | 'pairwise' | undefined;
  readonly sector_identifier_uri?: string | undefined;
  readonly redirect_uris: readonly string[];
}

const hostsOf = (urls: readonly URL[]): readonly string[] => [...new Set(urls.map(({ hostname }) => hostname))];

/** An address at a host that is somebody's; every application may listen on loopback, or take a scheme for its own. */
const isSomebodys = (url: URL): boolean => /^https?:$/.test(url.protocol) && !isLoopback(url);

/** Where people may be sent. */
const urlsOf = (client: Addresses): readonly URL[] =>
  client.redirect_uris.flatMap((address) => URL.parse(address) ?? []);

/**
 * The sector of a client with pairwise subjects: clients of one sector know a person by the same `sub` (OpenID Connect
 * Core section 8.1). The host of its redirect addresses, unless `sector_identifier_uri` names one. A client with an
 * address that any application may have is a sector of its own: the host would be nobody's, or not its own alone.
 * Undefined where subjects are public.
 */
export function sectorOf(client: Addresses): string | undefined {
  if (client.subject_type !== 'pairwise') return undefined;
  if (client.sector_identifier_uri !== undefined) return new URL(client.sector_identifier_uri).hostname;
  const urls = urlsOf(client);
  // A colon is in no name of a host.
  return urls.every(isSomebodys) && urls[0] !== undefined ? urls[0].hostname : `client:${client.client_id}`;
}

/** What stands in the way of a sector, with the field it concerns. The registration's author vouches for the sector. */
export function sectorProblem(client: Addresses): [field: string, problem: string] | undefined {
  const { subject_type: type, sector_identifier_uri: named } = client;
  if (type !== 'pairwise') {
    return named === undefined ? undefined : ['sector_identifier_uri', 'is of no use without pairwise subjects'];
  }
  const urls = urlsOf(client);
  if (named !== undefined || !urls.every(isSomebodys) || hostsOf(urls).length <= 1) return undefined;
  return ['sector_identifier_uri', 'is needed: the redirect addresses do not name one host'];
}
