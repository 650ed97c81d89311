interface Addresses {
  readonly subject_type?: 'public' | 'pairwise' | undefined;
  readonly sector_identifier_uri?: string | undefined;
  readonly redirect_uris: readonly string[];
}

const hostsOf = (addresses: readonly string[]): readonly string[] => [
  ...new Set(addresses.map((address) => new URL(address).hostname)),
];

/**
 * The sector of a client with pairwise subjects: clients of one sector know a person by the same `sub` (OpenID Connect
 * Core section 8.1). The host of its redirect addresses, unless `sector_identifier_uri` names one. Undefined where
 * subjects are public.
 */
export function sectorOf(client: Addresses): string | undefined {
  if (client.subject_type !== 'pairwise') return undefined;
  const { sector_identifier_uri: named, redirect_uris: addresses } = client;
  return hostsOf(named === undefined ? addresses : [named])[0];
}

/** What stands in the way of a sector, with the field it concerns. The registration's author vouches for the sector. */
export function sectorProblem(client: Addresses): [field: string, problem: string] | undefined {
  const { subject_type: type, sector_identifier_uri: named } = client;
  if (type !== 'pairwise') {
    return named === undefined ? undefined : ['sector_identifier_uri', 'is of no use without pairwise subjects'];
  }
  if (named !== undefined) return undefined;
  const hosts = hostsOf(client.redirect_uris.filter((address) => URL.canParse(address)));
  return hosts.length === 1 && hosts[0] !== ''
    ? undefined
    : ['sector_identifier_uri', 'is needed: the redirect addresses do not name one host'];
}
