import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LetterKind, Letters, NoticeEvent } from '#src/mail/mails.js';
import { createMailTemplates, type MailWriter, type RenderedMail } from '#src/mail/templates.js';
import { LOCALES, loadTranslators, type Locale, type Translate } from '#src/web/locale.js';

const directory = join(process.cwd(), 'views');
const brand = { name: 'SSO ASN', portal: 'ASN Digital', institution: '[Nama lembaga]', host: 'sso.asn.example' };
const write = createMailTemplates({ directory, brand });

const at = new Date('2026-11-23T01:15:00Z');
const occasion = { at, nipEnding: '001' };
const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000);
const code = { ...occasion, code: '7K3QM-9XD2R', expiresAt: later(15) };
const disavow = { href: 'https://sso.asn.example/bukan-saya/c29tZS1yYW5kb20tYnl0ZXM', until: later(10 * 24 * 60) };
const stopUrl = 'https://sso.asn.example/reset/mfa/stop/0123456789ABCDEFGHJKMNPQRS';
const waiting = { ...occasion, dueAt: later(24 * 60), stopUrl, again: false };
const invitation = 'https://sso.asn.example/alamat-baru/c29tZS1yYW5kb20tYnl0ZXM';

type LetterSample = { [K in LetterKind]: readonly [K, Letters[K]] }[LetterKind];
const LETTERS: readonly LetterSample[] = [
  ['reset-code', code],
  ['reset-code', { ...code, place: 'jaringan di Kota Contoh' }],
  ['reset-frozen', occasion],
  ['reset-inactive', occasion],
  ['enrolment-code', code],
  ['mfa-reset-code', code],
  ['contact-code', code],
  ['contact-invitation', { ...occasion, href: invitation, expiresAt: later(7 * 24 * 60) }],
];
const OFFICER = { officer: 'Nama Petugas', agency: 'BKPSDM Kabupaten Contoh' };
const NOTICES: readonly NoticeEvent[] = [
  { kind: 'password-changed', data: occasion },
  { kind: 'password-changed', data: { ...occasion, place: 'jaringan di Kota Contoh' } },
  { kind: 'authenticator-added', data: { ...occasion, deviceName: 'Ponsel kerja' } },
  { kind: 'authenticator-added', data: { ...occasion, deviceName: 'Tablet', isAnother: true } },
  { kind: 'passkey-added', data: { ...occasion, deviceName: 'Laptop kantor' } },
  { kind: 'passkey-copied', data: occasion },
  { kind: 'authenticator-removed', data: { ...occasion, deviceName: 'Ponsel lama' } },
  { kind: 'authenticator-moved', data: { ...occasion, deviceName: 'Ponsel baru', oldName: 'Ponsel lama' } },
  { kind: 'recovery-codes-renewed', data: occasion },
  { kind: 'recovery-codes-few', data: { ...occasion, left: 2 } },
  { kind: 'recovery-codes-few', data: { ...occasion, left: 0 } },
  { kind: 'authenticator-disabled', data: occasion },
  { kind: 'mfa-reset', data: { ...occasion, by: { officer: 'Nama Petugas', agency: 'BKPSDM Kabupaten Contoh' } } },
  { kind: 'mfa-reset', data: occasion },
  { kind: 'mfa-reset-waiting', data: waiting },
  { kind: 'mfa-reset-waiting', data: { ...waiting, again: true } },
  { kind: 'mfa-reset-stopped', data: occasion },
  { kind: 'mfa-own-reset', data: { ...occasion, left: 'none' } },
  { kind: 'mfa-own-reset', data: { ...occasion, left: 'some' } },
  { kind: 'password-disabled', data: occasion },
  { kind: 'wrong-code-warning', data: occasion },
  { kind: 'new-browser', data: { ...occasion, browser: 'Chrome', system: 'Android', network: '203.0.113.x' } },
  { kind: 'new-browser', data: { ...occasion, browser: '', system: '', network: '203.0.113.x' } },
  { kind: 'contact-change-asked', data: occasion },
  {
    kind: 'contact-change-waiting',
    data: { ...occasion, opensAt: later(72 * 60), newHint: 's•••••@b•••••', frozen: false },
  },
  {
    kind: 'contact-change-waiting',
    data: { ...occasion, opensAt: later(72 * 60), newHint: 's•••••@b•••••', frozen: true },
  },
  { kind: 'contact-changed', data: { ...occasion, by: 'person' } },
  { kind: 'contact-changed', data: { ...occasion, by: 'officer' } },
  { kind: 'contact-changed', data: { ...occasion, by: 'import' } },
  { kind: 'account-frozen', data: { ...occasion, by: 'owner' } },
  { kind: 'account-frozen', data: { ...occasion, by: 'operator' } },
  { kind: 'account-frozen', data: { ...occasion, by: 'officer', ...OFFICER } },
  { kind: 'officer-acted', data: { ...occasion, action: 'unlock', by: OFFICER } },
  { kind: 'officer-acted', data: { ...occasion, action: 'sessions_end', by: OFFICER } },
  { kind: 'officer-acted', data: { ...occasion, action: 'disable', by: undefined } },
  { kind: 'officer-acted', data: { ...occasion, action: 'enable', by: OFFICER } },
  { kind: 'officer-acted', data: { ...occasion, action: 'role_grant', by: OFFICER } },
  { kind: 'officer-acted', data: { ...occasion, action: 'role_revoke', by: OFFICER } },
  { kind: 'account-unfrozen', data: { ...occasion, password: 'kept', by: OFFICER } },
  { kind: 'account-unfrozen', data: { ...occasion, password: 'disabled' } },
];
const everyNotice = (writer: MailWriter, locale: Locale): RenderedMail[] => [
  ...NOTICES.map((event) => writer.notices([event], locale, disavow)),
  writer.notices(NOTICES, locale, disavow),
];

interface Case {
  readonly mail: RenderedMail;
  readonly hasCode: boolean;
  readonly links: readonly string[];
}
/** What stops a reset, for each that waits; then the one that disavows them all. */
const linksOf = (events: readonly NoticeEvent[]): readonly string[] => [
  ...events.flatMap((event) => (event.kind === 'mfa-reset-waiting' ? [event.data.stopUrl] : [])),
  disavow.href,
];
const casesIn = (locale: Locale): [string, Locale, Case][] => [
  ...LETTERS.map(([kind, data]): [string, Locale, Case] => [
    kind,
    locale,
    {
      mail: write.letter(kind, data as never, locale),
      hasCode: 'code' in data,
      links: 'href' in data ? [data.href] : [],
    },
  ]),
  ...NOTICES.map((event): [string, Locale, Case] => [
    event.kind,
    locale,
    { mail: write.notices([event], locale, disavow), hasCode: false, links: linksOf([event]) },
  ]),
  ['everything', locale, { mail: write.notices(NOTICES, locale, disavow), hasCode: false, links: linksOf(NOTICES) }],
  ['frozen', locale, { mail: write.notices(NOTICES.slice(-3, -1), locale, undefined), hasCode: false, links: [] }],
];

const CODE_SHAPE = /[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}/gi;
const readable = (html: string): string =>
  html
    .replace(/<head>[\s\S]*<\/head>/, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, ' ');

describe.each(LOCALES.flatMap(casesIn))('%s in %s', (_, locale, { mail, hasCode, links }) => {
  test('says the same in text and in HTML, and who sent it', () => {
    for (const line of mail.text.split('\n').filter((each) => each !== '')) {
      // In HTML the words before an address are the button above it.
      expect(readable(mail.html)).toContain(line.replace(/: (?=https:)/, ' '));
    }
    expect(mail.html).toContain(`<html lang="${locale}">`);
    expect(mail.text).toContain(brand.host);
    expect(mail.subject).toContain(brand.name);
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.subject + mail.text + mail.html).not.toMatch(/undefined|\*\*|__|[\uE000\uE001]|\{\w+\}/);
  });

  test('writes a code once, in the text, and nothing else of that shape', () => {
    expect(mail.text.match(CODE_SHAPE)).toEqual(hasCode ? ['7K3QM-9XD2R'] : null);
    expect(mail.html.match(CODE_SHAPE)).toBeNull();
    expect(mail.subject.match(CODE_SHAPE)).toBeNull();
    if (hasCode) expect(readable(mail.html)).toContain('7K3QM-9XD2R');
  });

  test('loads nothing, and links one page of ours where there is something to do there, never with a code', () => {
    expect(mail.html).not.toMatch(/<(?:img|script|link|form)\b| style=/);
    expect([...mail.html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual(links);
    expect(mail.text.match(/https?:\S+/g) ?? []).toEqual(links);
    expect(links.every((link) => link.startsWith(`https://${brand.host}/`))).toBe(true);
    expect(hasCode && links.length > 0).toBe(false);
  });

  test('tells when, and the NIP by its ending only', () => {
    expect(mail.text).toMatch(locale === 'id' ? /23 November 2026 pukul 08\.15 WIB/ : /23 November 2026 at 08:15 WIB/);
    expect(mail.text).toContain('001');
  });
});

test('a code mail tells until when in all three zones', () => {
  expect(write.letter('reset-code', code, 'id').text).toContain(
    'Berlaku sampai 08.30 WIB (09.30 WITA, 10.30 WIT), satu kali saja.',
  );
});

test('the reset by an officer names officer and agency', () => {
  const by = { officer: 'Nama Petugas', agency: 'BKPSDM Kabupaten Contoh' };
  expect(write.notices([{ kind: 'mfa-reset', data: { ...occasion, by } }], 'en', disavow).text).toContain(
    'Nama Petugas of BKPSDM Kabupaten Contoh reset your',
  );
});

test('several notices are a list by time, each with its own', () => {
  const events: NoticeEvent[] = [
    {
      kind: 'new-browser',
      data: { at: later(2), nipEnding: '001', browser: 'Chrome', system: 'Android', network: 'x' },
    },
    { kind: 'password-changed', data: occasion },
  ];
  const { text, subject } = write.notices(events, 'id', disavow);
  expect(subject).toBe('2 pemberitahuan tentang akun SSO ASN Anda');
  expect(
    text.indexOf('Password Anda sudah diganti\n23 November 2026 pukul 08.15 WIB (09.15 WITA, 10.15 WIT)'),
  ).toBeGreaterThan(0);
  expect(text.indexOf('di peramban baru\n23 November 2026 pukul 08.17 WIB')).toBeGreaterThan(
    text.indexOf('Password Anda sudah diganti'),
  );
  expect(text).toContain('Pilih Bukan saya paling lambat 3 Desember 2026.');
});

test('an urgent notice keeps its subject and comes first, whatever leaves with it', () => {
  const events: NoticeEvent[] = [
    { kind: 'wrong-code-warning', data: occasion },
    { kind: 'new-browser', data: { ...occasion, browser: '', system: '', network: 'x' } },
    { kind: 'mfa-reset-waiting', data: { ...waiting, at: later(3) } },
  ];
  const { text, subject } = write.notices(events, 'id', disavow);
  expect(subject).toBe('Reset MFA SSO ASN Anda menunggu: hentikan bila bukan Anda');
  const places = [
    /^Reset MFA Anda menunggu\n/,
    `\nHentikan: ${stopUrl}\n`,
    'Juga baru terjadi pada akun Anda',
    'Password benar, kode salah 3 kali',
    // What to do is said with what happened.
    'Password Anda sudah diketahui orang, tetapi tanpa kode ia tidak dapat masuk. Ganti sekarang',
    'di peramban baru',
    `\nBukan saya: ${disavow.href}\n`,
  ].map((each) => text.search(each));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

test('what a person typed stays text', () => {
  const deviceName = '"><script>&**x**';
  const mail = write.notices([{ kind: 'authenticator-added', data: { ...occasion, deviceName } }], 'id', disavow);
  expect(mail.html).toContain('&quot;&gt;&lt;script&gt;&amp;**x**');
  expect(mail.html).not.toContain('<script');
  expect(mail.text).toContain(deviceName);
});

test('every text for mails is used', () => {
  const used = new Set<string>();
  const real = loadTranslators(join(directory, 'locales'));
  const watched: Translate = (key, values) => {
    used.add(key);
    return real.id(key, values);
  };
  const watching = createMailTemplates({ directory, brand, translators: { id: watched, en: watched } });
  for (const [kind, data] of LETTERS) watching.letter(kind, data, 'id');
  everyNotice(watching, 'id');
  watching.notices(NOTICES.slice(0, 2), 'id', disavow);
  const keys: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node === 'string') keys.push(path);
    else for (const [key, child] of Object.entries(node as object)) walk(child, `${path}.${key}`);
  };
  walk((JSON.parse(readFileSync(join(directory, 'locales', 'id.json'), 'utf8')) as { mail: object }).mail, 'mail');
  expect(keys.filter((key) => !used.has(key))).toEqual([]);
});
