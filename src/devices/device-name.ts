/** The longest name a person may give an authenticator, in code points. */
export const MAX_DEVICE_NAME = 50;

/** The name as kept: NFC, one space between words, no control or direction characters. Undefined when unusable. */
export function cleanDeviceName(typed: string): string | undefined {
  if (typed.length > 400) return undefined;
  const name = typed.normalize('NFC').replace(/\s+/gu, ' ').trim();
  if (name === '' || Array.from(name).length > MAX_DEVICE_NAME || /[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/u.test(name))
    return undefined;
  return name;
}

/** Whether one of these is called so, whatever the case. */
export const isNameTaken = (name: string, others: readonly { readonly name: string }[]): boolean =>
  others.some((other) => other.name.toLowerCase() === name.toLowerCase());
