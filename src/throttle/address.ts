import { isIPv4, isIPv6 } from 'node:net';

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  // URL writes every notation in one way, with `::` for the longest run of zeros.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
}

/**
 * Whose doing a request is counted as: an IPv4 address, also where it is written as IPv6 (RFC 4291 section
 * 2.5.5.2), or the first 64 bits of an IPv6 address, since a household or an office holds all that follow. What is no
 * address is `unknown`. Personal data: digest it with a key before it is stored.
 */
export function addressBucket(address: string): string {
  if (isIPv4(address)) return address;
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return 'unknown';
  const groups = groupsOf(plain);
  if (groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff') {
    return groups
      .slice(6)
      .flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
      .join('.');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/**
 * The network that an address lies in, for people to recognise: 203.0.113.x, or the first 48 bits of an IPv6 address,
 * as a household or an office has them. Coarse on purpose: a mail may be read by others.
 */
export function networkOf(address: string): string {
  const bucket = addressBucket(address);
  if (isIPv4(bucket)) return bucket.replace(/\d+$/, 'x');
  return bucket === 'unknown' ? bucket : `${bucket.split(':').slice(0, 3).join(':')}:…`;
}
