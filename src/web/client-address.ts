import { BlockList, isIP } from 'node:net';

/** `::ffff:192.0.2.1` is `192.0.2.1`. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');
const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Answers whether an address is one of the proxies that are believed. */
export function trustedBy(trustedProxies: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList();
  for (const entry of trustedProxies) {
    const [address = '', prefix] = entry.split('/');
    if (prefix === undefined) trusted.addAddress(address, family(address));
    else trusted.addSubnet(address, Number(prefix), family(address));
  }
  return (text) => {
    const address = plain(text);
    return isIP(address) !== 0 && trusted.check(address, family(address));
  };
}

/**
 * Answers whose request it is: the socket's address, or the last one in X-Forwarded-For that is not a trusted
 * proxy, and only when the socket is one.
 */
export function clientAddress(
  trustedProxies: readonly string[],
): (socketAddress: string | undefined, forwardedFor: string | undefined) => string {
  const isTrusted = trustedBy(trustedProxies);

  return (socketAddress = '0.0.0.0', forwardedFor) => {
    let address = plain(socketAddress);
    const hops = forwardedFor?.split(',').map((hop) => plain(hop.trim())) ?? [];
    while (isTrusted(address)) {
      const hop = hops.pop();
      if (hop === undefined || isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  };
}
