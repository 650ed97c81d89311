/**
 * Jest runs tests in a realm of their own, and Node's structuredClone answers objects of the outer one, which
 * oidc-provider does not take for plain objects. In a real process there is one realm; this restores it.
 */
const clone = (value) => {
  if (Array.isArray(value)) return value.map(clone);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value)?.constructor?.name === 'Object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, clone(member)]));
  }
  return value;
};
globalThis.structuredClone = clone;
