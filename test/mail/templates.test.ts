import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMailTemplates, type MailKind, type Mails } from '#src/mail/templates.js';
import { LOCALES, loadTranslators, type Translate } from '#src/web/locale.js';

const directory = join(process.cwd(), 'views');
const brand = { name: 'SSO ASN', portal: 'ASN Digital', institution: '[Nama lembaga]', host: 'sso.asn.example' };
const render = createMailTemplates({ directory, brand });

const occasion = { at: new Date('2026-11-23T01:15:00Z'), nipEnding: '001' };
const code = { ...occasion, code: '7K3QM-9XD2R', expiresAt: new Date('2026-11-23T01:30:00Z') };

type MailSample = { [K in MailKind]: readonly [K, Mails[K]] }[MailKind];
const SAMPLES: readonly MailSample[] = [
  ['reset-code', code],
  ['reset-code', { ...code, place: 'jaringan di Kota Contoh' }],
  ['enrolment-code', code],
  ['password-changed', occasion],
  ['password-changed', { ...occasion, place: 'jaringan di Kota Contoh' }],
  ['authenticator-added', { ...occasion, deviceName: 'Ponsel kerja' }],
  ['passkey-added', { ...occasion, deviceName: 'Laptop kantor' }],
  ['passkey-copied', occasion],
  ['authenticator-disabled', occasion],
  ['mfa-reset', { ...occasion, by: { officer: 'Nama Petugas', agency: 'BKPSDM Kabupaten Contoh' } }],
  ['mfa-reset', occasion],
  ['password-disabled', occasion],
  ['wrong-code-warning', occasion],
];
const cases = SAMPLES.flatMap(([kind, data]) => LOCALES.map((locale) => [kind, locale, data] as const));

const CODE_SHAPE = /[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}/gi;
const readable = (html: string): string =>
  html
    .replace(/<head>[\s\S]*<\/head>/, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, ' ');

describe.each(cases)('%s in %s', (kind, locale, data) => {
  const mail = render(kind, data as never, locale);

  test('says the same in text and in HTML, and who sent it', () => {
    for (const line of mail.text.split('\n').filter((each) => each !== '')) expect(readable(mail.html)).toContain(line);
    expect(mail.html).toContain(`<html lang="${locale}">`);
    expect(mail.text).toContain(brand.host);
    expect(mail.subject).toContain(brand.name);
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.subject + mail.text + mail.html).not.toMatch(/undefined|\*\*|__|[\uE000\uE001]|\{\w+\}/);
  });

  test('writes a code once, in the text, and nothing else of that shape', () => {
    const isCode = kind === 'reset-code' || kind === 'enrolment-code';
    expect(mail.text.match(CODE_SHAPE)).toEqual(isCode ? ['7K3QM-9XD2R'] : null);
    expect(mail.html.match(CODE_SHAPE)).toBeNull();
    expect(mail.subject.match(CODE_SHAPE)).toBeNull();
    if (isCode) expect(readable(mail.html)).toContain('7K3QM-9XD2R');
  });

  test('loads and links nothing', () => {
    expect(mail.html).not.toMatch(/<(?:a|img|script|link|form)\b| style=|https?:/);
    expect(mail.text).not.toMatch(/https?:/);
  });

  test('tells when, and the NIP by its ending only', () => {
    expect(mail.text).toMatch(locale === 'id' ? /23 November 2026 pukul 08\.15 WIB/ : /23 November 2026 at 08:15 WIB/);
    expect(mail.text).toContain('001');
  });
});

test('a code mail tells until when in all three zones', () => {
  expect(render('reset-code', code, 'id').text).toContain(
    'Berlaku sampai 08.30 WIB (09.30 WITA, 10.30 WIT), satu kali saja.',
  );
});

test('the reset by an officer names officer and agency', () => {
  const by = { officer: 'Nama Petugas', agency: 'BKPSDM Kabupaten Contoh' };
  expect(render('mfa-reset', { ...occasion, by }, 'en').text).toContain(
    'Nama Petugas of BKPSDM Kabupaten Contoh reset your',
  );
});

test('what a person typed stays text', () => {
  const deviceName = '"><script>&**x**';
  const mail = render('authenticator-added', { ...occasion, deviceName }, 'id');
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
  for (const [kind, data] of SAMPLES) watching(kind, data as never, 'id');
  const keys: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node === 'string') keys.push(path);
    else for (const [key, child] of Object.entries(node as object)) walk(child, `${path}.${key}`);
  };
  walk((JSON.parse(readFileSync(join(directory, 'locales', 'id.json'), 'utf8')) as { mail: object }).mail, 'mail');
  expect(keys.filter((key) => !used.has(key))).toEqual([]);
});
