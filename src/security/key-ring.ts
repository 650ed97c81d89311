/** Keys of one purpose: the first one is used for new work, all of them for what exists. */
export interface KeyRing {
  readonly current: Key;
  find(kid: string): Key | undefined;
  readonly all: readonly Key[];
}

export interface Key {
  readonly kid: string;
  readonly bytes: Buffer;
}

/** Reads `kid:base64(32 bytes),...`. Throws an Error that says what is wrong, without the value. */
export function parseKeyRing(text: string): KeyRing {
  const all = text.split(',').map((entry): Key => {
    const [kid, encoded, ...rest] = entry.trim().split(':');
    if (kid === undefined || encoded === undefined || rest.length > 0 || !/^[A-Za-z0-9_-]{1,32}$/.test(kid)) {
      throw new Error('each key must be written kid:base64');
    }
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length !== 32) throw new Error(`the key ${kid} must be 32 bytes in base64`);
    return { kid, bytes };
  });
  const current = all[0];
  if (current === undefined) throw new Error('at least one key is needed');
  const byKid = new Map(all.map((key) => [key.kid, key]));
  if (byKid.size !== all.length) throw new Error('two keys share one kid');
  return { current, all, find: (kid) => byKid.get(kid) };
}
