import fc from 'fast-check';
import { parseSender, plainAddress, plainName } from '#src/mail/address.js';

test.each([
  ['siti@contoh.go.id', 'siti@contoh.go.id'],
  ['Siti.Rahma+myasn@Contoh.go.id', 'Siti.Rahma+myasn@contoh.go.id'],
  ["o'neil_{x}@a-b.test", "o'neil_{x}@a-b.test"],
  ['siti@bücher.test', 'siti@xn--bcher-kva.test'],
])('mails %s', (address, plain) => {
  expect(plainAddress(address)).toBe(plain);
});

test.each([
  ['a second header', 'a@x.test\r\nBcc: e@x.test'],
  ['a bare line feed', 'a@x.test\nBcc: e@x.test'],
  ['a line break in the domain', 'a@x.te\nst'],
  ['a tab in the domain', 'a@x.te\tst'],
  ['a line break before the sign', 'a\r\n@x.test'],
  ['a list', 'a@x.test, e@x.test'],
  ['a list without spaces', 'a@x.test,e@x.test'],
  ['a group', 'g:a@x.test;'],
  ['a semicolon', 'a@x.test;e@x.test'],
  ['a display name', 'Siti <a@x.test>'],
  ['angle brackets', '<a@x.test>'],
  ['quotes', '"a b"@x.test'],
  ['a quoted second sign', '"a@x.test,e"@x.test'],
  ['two signs', 'a@e.test@x.test'],
  ['a comment', 'a(e@x.test)@x.test'],
  ['spaces', 'a b@x.test'],
  ['a space at the end', 'a@x.test '],
  ['a null byte', 'a@x.test\0'],
  ['letters beyond ASCII before the sign', 'аdmin@x.test'],
  ['an address literal', 'a@[127.0.0.1]'],
  ['a percent in the domain', 'a@x%2etest'],
  ['a path', 'a@x.test/e'],
  ['no dot in the domain', 'a@localhost'],
  ['a dot at the end', 'a@x.test.'],
  ['two dots', 'a..b@x.test'],
  ['a dash before the dot', 'a@x-.test'],
  ['no name', '@x.test'],
  ['no domain', 'a@'],
  ['no sign', 'a.x.test'],
  ['nothing', ''],
  ['65 characters before the sign', `${'a'.repeat(65)}@x.test`],
  ['255 characters', `a@${'x'.repeat(60)}.${'x'.repeat(60)}.${'x'.repeat(60)}.${'x'.repeat(60)}.${'x'.repeat(9)}`],
])('refuses an address with %s', (_, address) => {
  expect(plainAddress(address)).toBeUndefined();
});

test('whatever it accepts is one address without a character that means something to a mail server', () => {
  fc.assert(
    fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary' }), fc.string()), (text) => {
      const plain = plainAddress(text);
      if (plain !== undefined) expect(plain).toMatch(/^[^\s@,;:<>()[\]"\\\p{C}]+@[A-Za-z0-9.-]+$/u);
    }),
  );
});

test('keeps display names on one line', () => {
  expect(plainName('Siti\r\nBcc: e@x.test')).toBe('Siti Bcc: e@x.test');
  expect(plainName('  Siti Rahma, S.Kom. ')).toBe('Siti Rahma, S.Kom.');
  expect(plainName(undefined)).toBe('');
});

test.each([
  ['no-reply@bkn.go.id', { address: 'no-reply@bkn.go.id', name: '', domain: 'bkn.go.id' }],
  ['SSO ASN <no-reply@localhost>', { address: 'no-reply@localhost', name: 'SSO ASN', domain: 'localhost' }],
  ['"SSO, ASN" <no-reply@bkn.go.id>', { address: 'no-reply@bkn.go.id', name: 'SSO, ASN', domain: 'bkn.go.id' }],
])('reads the sender %s', (text, sender) => {
  expect(parseSender(text)).toEqual(sender);
});

test.each(['SSO ASN', 'a@b@c', '<>', 'x <y> z', 'no-reply@'])('refuses the sender %s', (text) => {
  expect(() => parseSender(text)).toThrow('MAIL_FROM');
});
