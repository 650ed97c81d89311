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

const ENTRY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/=]*)$/;
/** 32 bytes in base64, padding optional: Buffer passes over anything else, and a mistyped key would be another key. */
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=?$/;

/** Reads `kid:base64(32 bytes),...`. Throws an Error that says which key is wrong and how, without the value. */
export function parseKeyRing(text: string): KeyRing {
  const all = text.split(',').map((entry, index): Key => {
    const [, kid, encoded] = ENTRY.exec(entry.trim()) ?? [];
    if (kid === undefined || encoded === undefined) throw new Error(`key ${index + 1} must be written kid:base64`);
    if (!BASE64_OF_32_BYTES.test(encoded)) throw new Error(`key ${index + 1} must be 32 bytes in base64`);
    return { kid, bytes: Buffer.from(encoded, 'base64') };
  });
  const current = all[0];
  if (current === undefined) throw new Error('at least one key is needed');
  const byKid = new Map(all.map((key) => [key.kid, key]));
  if (byKid.size !== all.length) throw new Error('two keys share one kid');
  return { current, all, find: (kid) => byKid.get(kid) };
}
