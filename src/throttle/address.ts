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
 * Where in the network an address is, for its owner to recognise and for nobody to be found by: `203.0.113.x`, or the
 * first 48 bits of an IPv6 address, which one provider gives to one site. Empty for what is no address.
 */
export function networkOf(address: string): string {
  const bucket = addressBucket(address);
  if (bucket === 'unknown') return '';
  return isIPv4(bucket)
    ? bucket.replace(/\d+$/, 'x')
    : `${bucket
        .split(':')
        .slice(0, 3)
        .join(':')
        .replace(/(:0)+$/, '')}::/48`;
}
