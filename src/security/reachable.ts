import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** What no public service has as its address: IANA's special-purpose registries (RFC 6890). */
const SPECIAL: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  // Of IPv6 only global unicast is public, and of that not what stands for documentation or holds an IPv4 address.
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
];
const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128'];

const versionOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

/** Whether an address is in one of the ranges. */
function within(ranges: readonly string[]): (address: string) => boolean {
  // One list for each version: in a common one IPv4 addresses are also looked for as `::ffff:` ones.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const version = versionOf(address);
    if (prefix === undefined) lists[version].addAddress(address, version);
    else lists[version].addSubnet(address, Number(prefix), version);
  }
  return (address) => lists[versionOf(address)].check(address, versionOf(address));
}

const isSpecial = within(SPECIAL);

/** `::ffff:10.0.0.1` is the host that 10.0.0.1 is (RFC 4291 section 2.5.5.2). */
function plain(address: string): string {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical(address));
  if (mapped === null) return address;
  const [high, low] = [parseInt(mapped[1] ?? '', 16), parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

const canonical = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1) : address;

/** An address that this program must not be talked into calling (SSRF, R-50). */
export class Unreachable extends Error {
  readonly code = 'private_address';

  constructor() {
    super('the address is not public, and not listed');
    this.name = 'Unreachable';
  }
}

/** Which hosts this program calls on behalf of a registration: public addresses, and what operators list. */
export interface Reachable {
  /** Throws {@link Unreachable} for a host that is itself an address out of bounds; a name is judged by its lookup. */
  requireHost(hostname: string): void;
  /**
   * A name's addresses without those out of bounds. The connection is made to what was judged here, so that a name
   * which answers differently the second time gains nothing (DNS rebinding).
   */
  readonly lookup: LookupFunction;
}

export interface ReachableOptions {
  /** Host names, addresses and CIDR ranges that may be called although they are private. */
  readonly privateHosts: readonly string[];
  /** Outside production a relying party may run on the same machine. */
  readonly allowsLoopback: boolean;
}

export function createReachable({ privateHosts, allowsLoopback }: ReachableOptions): Reachable {
  const ranges = privateHosts.filter((host) => isIP(host.split('/')[0] ?? '') !== 0);
  const isListed = within([...ranges, ...(allowsLoopback ? LOOPBACK : [])]);
  const names = new Set(privateHosts.filter((host) => !ranges.includes(host)).map((host) => host.toLowerCase()));

  const isAllowed = (address: string): boolean => {
    const judged = plain(address);
    return isListed(judged) || !isSpecial(judged);
  };

  return {
    requireHost(hostname) {
      const address = hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(address) !== 0 && !isAllowed(address)) throw new Unreachable();
    },
    lookup(hostname, options: LookupOptions, answer) {
      resolve(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) {
          answer(error, []);
          return;
        }
        const isNamed = names.has(hostname.toLowerCase());
        const allowed = found.filter(({ address }) => isNamed || isAllowed(address));
        const [first] = allowed as [LookupAddress | undefined];
        if (first === undefined) answer(new Unreachable(), []);
        else if (options.all === true) answer(null, allowed);
        else answer(null, first.address, first.family);
      });
    },
  };
}
