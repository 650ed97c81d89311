/** Addresses that a route's path stands for, with something in each of its holes; `:uid` is the sign-in's. */
export function addressesOf(path: string, uid: string): string[] {
  const filled = (text: string): string =>
    text
      .replaceAll(':uid', uid)
      .replaceAll(/:\w+/g, '00000000-0000-4000-8000-000000000000')
      .replaceAll(/\*\w+/g, 'any/thing');
  // `{/*rest}` may be there or not.
  const forms = path.includes('{') ? [path.replaceAll(/\{[^}]*\}/g, ''), path.replaceAll(/[{}]/g, '')] : [path];
  return forms.map(filled);
}
