import { randomBytes } from 'node:crypto';
import { comparableEmail, decoyMask, isSameEmail, maskEmail } from '#src/accounts/email.js';
import { createKeyedDigest } from '#src/security/digests.js';

const keyed = createKeyedDigest(randomBytes(32));
const MASK = /^[a-z0-9_]•••••@[a-z0-9]•••••$/;

describe('masked addresses', () => {
  it.each([
    ['sari@contoh.example', 's•••••@c•••••'],
    ['Sari.Contoh+x@Contoh.Go.Id', 's•••••@c•••••'],
    ['a@b', 'a•••••@b•••••'],
    ['"a@b"@contoh.example', '"•••••@c•••••'],
    ['émile@contoh.example', 'é•••••@c•••••'],
    ['1sari@contoh.example', '1•••••@c•••••'],
    ['', '•••••@•••••'],
    ['sari', '•••••@s•••••'],
  ])('%s is shown as %s', (email, mask) => {
    expect(maskEmail(email)).toBe(mask);
  });

  it('do not tell how long an address is', () => {
    expect(maskEmail('s@c')).toBe(maskEmail(`s${'x'.repeat(60)}@c${'x'.repeat(200)}.example`));
  });
});

describe('decoys of addresses that do not exist (R-19)', () => {
  const decoys = Array.from({ length: 5_000 }, (_, index) => decoyMask(keyed, `name-${index}`));

  it('look like masks', () => {
    expect(decoys.filter((decoy) => !MASK.test(decoy))).toEqual([]);
  });

  it('stay the same for a name, under one key', () => {
    expect(decoyMask(keyed, 'name-1')).toBe(decoys[1]);
    const other = createKeyedDigest(randomBytes(32));
    const same = decoys.slice(0, 200).filter((decoy, index) => decoy === decoyMask(other, `name-${index}`));
    expect(same.length).toBeLessThan(60);
  });

  const share = (letter: string, at: number): number =>
    decoys.filter((decoy) => decoy[at] === letter).length / decoys.length;
  it.each([
    ['a', 0, 0.09, 0.17],
    ['s', 0, 0.06, 0.14],
    ['z', 0, 0.001, 0.03],
    ['g', 7, 0.8, 0.9],
    ['y', 7, 0.04, 0.1],
  ])('have the letters of real addresses as often: %s at %i', (letter, at, least, most) => {
    expect(share(letter, at)).toBeGreaterThan(least);
    expect(share(letter, at)).toBeLessThan(most);
  });

  it('may begin with any sign that addresses begin with: none of them proves that a person exists', () => {
    const masks = Array.from({ length: 30_000 }, (_, index) => decoyMask(keyed, `n${index}`));
    const [locals, domains] = [0, 7].map((at) => new Set(masks.map((mask) => mask[at])));
    const signs = 'abcdefghijklmnopqrstuvwxyz0123456789';
    expect(Array.from(`${signs}_`).filter((sign) => locals?.has(sign) !== true)).toEqual([]);
    expect(Array.from(signs).filter((sign) => domains?.has(sign) !== true)).toEqual([]);
  });
});

const STORED = 'Sari.Contoh@kantor.go.id';
describe('the address typed and the registered one (R-24)', () => {
  it.each([
    ['as registered', STORED],
    ['in capitals', 'SARI.CONTOH@KANTOR.GO.ID'],
    ['with spaces around', `  ${STORED}\t\n`],
    ['with a wide sign', 'sari.contoh＠kantor.go.id'],
    ['with wide letters', 'ｓari.contoh@kantor.go.id'],
    ['with an ideographic full stop in the domain', 'sari.contoh@kantor。go.id'],
  ])('are the same %s', (_, typed) => {
    expect(isSameEmail(keyed, typed, STORED)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a Cyrillic letter that looks alike', 's\u0430ri.contoh@kantor.go.id'],
    ['a Cyrillic letter in the domain', 'sari.contoh@k\u0430ntor.go.id'],
    ['a dotless i', 'sar\u0131.contoh@kantor.go.id'],
    ['a dotted capital I', 'SAR\u0130.contoh@kantor.go.id'],
    ['a tag', 'sari.contoh+x@kantor.go.id'],
    ['no dot', 'saricontoh@kantor.go.id'],
    ['a dot at the end', `${STORED}.`],
    ['another domain', 'sari.contoh@kantor.go.id.example'],
    ['a part of it', 'sari.contoh@kantor.go'],
    ['a second address', `${STORED},x@y.example`],
    ['a display name', `Sari <${STORED}>`],
    ['a zero byte', `${STORED}\u0000`],
    ['an invisible letter', `\u200bsari.contoh@kantor.go.id`],
    ['half a letter', `\ud83d${STORED}`],
    ['no domain', 'sari.contoh@'],
    ['no name', '@kantor.go.id'],
    ['no sign', 'sari.contoh'],
    ['a path after the domain', 'sari.contoh@kantor.go.id/x'],
    ['a wide path after the domain', 'sari.contoh@kantor.go.id／x'],
    ['a query after the domain', 'sari.contoh@kantor.go.id?x'],
    ['a port after the domain', 'sari.contoh@kantor.go.id:25'],
    ['an escaped letter in the domain', 'sari.contoh@k%61ntor.go.id'],
    ['far too much', `${'x'.repeat(100_000)}@kantor.go.id`],
  ])('are different for %s', (_, typed) => {
    expect(isSameEmail(keyed, typed, STORED)).toBe(false);
  });

  it.each([
    ['nothing, where nothing is registered', '', undefined],
    ['nothing, where nothing readable is registered', '', 'x'],
    ['an address, where none is registered', STORED, undefined],
    ['the unreadable thing itself', 'x', 'x'],
  ])('are different for %s', (_, typed, stored) => {
    expect(isSameEmail(keyed, typed, stored)).toBe(false);
  });

  it.each([
    ['an umlaut domain and its punycode', 'sari@b\u00fccher.example', 'sari@xn--bcher-kva.example'],
    ['a ligature and its letters', 'sta\ufb00@contoh.example', 'staff@contoh.example'],
    ['composed and decomposed letters', 'ren\u00e9@contoh.example', 'rene\u0301@contoh.example'],
  ])('are the same for %s', (_, one, other) => {
    expect(isSameEmail(keyed, one, other)).toBe(true);
    expect(isSameEmail(keyed, other, one)).toBe(true);
    expect(comparableEmail(one)).toBe(comparableEmail(other));
  });
});
