/**
 * The forms of password hash that we verify (PHC strings, bcrypt, passlib's PBKDF2) and the most that each may ask of
 * us: a poisoned row must not allocate gigabytes.
 */
const FORMS: readonly RegExp[] = [
  /^\$argon2(?:id|i)\$v=19\$m=(?<argon2MemoryKib>\d{1,7}),t=(?<argon2Passes>\d{1,2}),p=(?<argon2Lanes>\d)\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{16,128}$/,
  /^\$2[aby]\$(?<bcryptCost>\d\d)\$[A-Za-z0-9./]{53}$/,
  /^\$pbkdf2-(?:sha1|sha256|sha512)\$(?:i=)?(?<pbkdf2Iterations>\d{1,8})(?:,l=\d{1,3})?\$[A-Za-z0-9+/._=-]{4,128}\$[A-Za-z0-9+/._=-]{22,128}$/,
];

const LEAST: Readonly<Record<string, number>> = {
  argon2MemoryKib: 8,
  argon2Passes: 1,
  argon2Lanes: 1,
  bcryptCost: 4,
  pbkdf2Iterations: 1_000,
};
const MOST: Readonly<Record<string, number>> = {
  argon2MemoryKib: 262_144,
  argon2Passes: 10,
  argon2Lanes: 8,
  bcryptCost: 14,
  pbkdf2Iterations: 1_000_000,
};

/** What is wrong with a hash, or undefined when a login can verify it. Without the pepper mark of our own hashes. */
export function storedHashFault(hash: string): string | undefined {
  const found = FORMS.map((form) => form.exec(hash)).find((match) => match !== null);
  if (found === undefined) return 'is no argon2, bcrypt or PBKDF2 string';
  for (const [parameter, digits] of Object.entries(found.groups ?? {})) {
    const value = Number(digits);
    if (value < (LEAST[parameter] ?? 0) || value > (MOST[parameter] ?? 0))
      return 'asks for more or less work than is safe';
  }
  return undefined;
}
