import { addressBucket, networkOf } from '#src/throttle/address.js';

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['', 'unknown'],
  ['203.0.113.7, 203.0.113.8', 'unknown'],
  ['2001:db8:::1', 'unknown'],
  ['not an address', 'unknown'],
])('%j is counted as %s (R-21)', (address, bucket) => {
  expect(addressBucket(address)).toBe(bucket);
});

it.each([
  ['203.0.113.7', '203.0.113.x'],
  ['::ffff:203.0.113.7', '203.0.113.x'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8::/48'],
  ['2001:db8:0:7::1', '2001:db8::/48'],
  ['::1', '0::/48'],
  ['', ''],
  ['not an address', ''],
])('%j is shown as %j', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
