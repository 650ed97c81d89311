/** Names as they stand in the DNS, and addresses. */
const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])$/;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether an address leads to the machine it is opened on. */
export const isLoopback = (url: URL): boolean => LOOPBACK.has(url.hostname);

/**
 * What is wrong with an address of a client wherever it stands. Its host goes into the Content Security Policy of our
 * pages, where `*` and `;` mean something. Text that is no address is somebody else's to refuse.
 */
export function addressProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return undefined;
  if (url.username !== '' || url.password !== '') return 'must not hold credentials';
  // An application's own scheme has none (RFC 8252 section 7.1).
  return url.hostname === '' || HOST.test(url.hostname)
    ? undefined
    : 'must name a host by letters, digits, dots and dashes';
}
