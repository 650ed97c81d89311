const MAX_TYPED = 100;

/**
 * A request's number as somebody typed or dictated it: case, spaces and dashes do not matter, and letters that the
 * alphabet leaves out are the digits that they look like (Crockford's base 32).
 */
export const requestNumber = (typed: string): string =>
  typed
    .slice(0, MAX_TYPED)
    .replaceAll(/[\s\p{Pd}]+/gu, '')
    .toUpperCase()
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
