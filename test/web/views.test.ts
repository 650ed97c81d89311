import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSlipSheet } from '#src/helpdesk/slips/slip-sheet.js';
import { loadTranslators, LOCALES, type Locale, type Translate } from '#src/web/locale.js';
import { SCRIPTED, type PageName, type Pages, type Shell } from '#src/web/pages.js';
import { createViews } from '#src/web/views.js';
import { SAMPLES, SAMPLE_SHELL, type Sample } from './page-samples.js';

const directory = join(process.cwd(), 'views');
const views = createViews({ directory });

const render = <K extends PageName>(page: K, data: Pages[K], shell: Partial<Shell> = {}): string =>
  views.render(page, data, { ...SAMPLE_SHELL, ...shell });

const matches = (html: string, pattern: RegExp): string[] => [...html.matchAll(pattern)].map((match) => match[1] ?? '');
const attribute = (tag: string, name: string): string | undefined => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
const words = (html: string): string => html.replace(/<[^>]*>/g, ' ').trim();

const PHONE = { name: 'P', kind: 'totp' } as const;
const OTP = { uid: 'u', service: 'S', devices: [PHONE], hasRecoveryCodes: true };

/** The one script there may be, where it may be: a file of ours, nothing inline. */
const SCRIPT = /<script type="module" src="\/assets\/passkey\.js\?v=[0-9a-f]{8}"><\/script>\n/;
const withoutScript = (html: string): string => html.replace(SCRIPT, '');

const cases = SAMPLES.flatMap(([page, state, data, shell]) =>
  LOCALES.map((locale): [string, Sample, Locale] => [
    `${page}, ${state}, ${locale}`,
    [page, state, data, shell] as Sample,
    locale,
  ]),
);

const rendered = new Map<string, string>();
for (const [name, [page, , data, shell], locale] of cases) rendered.set(name, render(page, data, { ...shell, locale }));

describe.each(cases)('%s', (name, [page, , data], locale) => {
  const html = rendered.get(name) ?? '';
  const tags = html.match(/<[a-z][^>]*>/g) ?? [];
  const error = 'error' in data ? data.error : undefined;

  test('is one whole document in its language', () => {
    expect(html.startsWith('<!DOCTYPE html>\n')).toBe(true);
    expect(html).toContain(`<html lang="${locale}">`);
    expect(html.trimEnd().endsWith('</html>')).toBe(true);
    expect(matches(html, /<main[^>]* data-page="([^"]*)"/g)).toEqual([page]);
    expect(html.match(/<h1[ >]/g)).toHaveLength(1);
    expect(html).not.toMatch(/undefined|\[object|NaN|\*\*|__|<%/);
    expect(words(html)).not.toMatch(/[\uE000\uE001]/);
  });

  test('keeps to the content policy and to double quotes', () => {
    expect(withoutScript(html)).not.toMatch(/<script|<iframe| style=| on[a-z]+=/);
    expect(SCRIPT.test(html)).toBe(SCRIPTED.has(page));
    for (const tag of tags) expect(tag.replace(/"[^"]*"/g, '')).not.toMatch(/=[^\s/>]|'/);
  });

  test('is below 30 kB with what it loads', () => {
    const files = ['styles.css', 'mark.svg', ...(SCRIPTED.has(page) ? ['passkey.js'] : [])];
    const loaded = files.map((file) => readFileSync(join(directory, 'assets', file)).length);
    expect(Buffer.byteLength(html) + loaded.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(30 * 1024);
  });

  test('labels every field, and points only at what is there', () => {
    const ids = matches(html, / id="([^"]*)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    const inputs = tags.filter((tag) => tag.startsWith('<input') && attribute(tag, 'type') !== 'hidden');
    const labels = matches(html, /<label for="([^"]*)"/g);
    for (const input of inputs) expect(labels).toContain(attribute(input, 'id'));
    const targets = [
      ...matches(html, / aria-(?:describedby|labelledby)="([^"]*)"/g),
      ...matches(html, / href="#([^"]+)"/g),
    ];
    for (const target of targets.flatMap((list) => list.split(' '))) expect(ids).toContain(target);
  });

  test('protects every form that changes something, and gives it one unnamed button, besides one for a new picture', () => {
    for (const form of html.match(/<form[\s\S]*?<\/form>/g) ?? []) {
      // What goes to a service must not hold our token.
      const isOurs = page !== 'form-post';
      if (form.includes('method="post"'))
        expect(form.includes('<input type="hidden" name="csrf" value="contoh-csrf">')).toBe(isOurs);
      const buttons = matches(form, /<button([^>]*)>/g);
      const others = buttons.filter((button) => button.includes(' formaction='));
      // Enter presses the first: it must be one that does what the form is for.
      const expected = others.length === 0 ? 1 : 3;
      expect(buttons.length).toBeLessThanOrEqual(expected);
      if (others.length > 0) {
        expect(buttons[0]).toBe(' class="hidden" tabindex="-1" aria-hidden="true"');
        expect(others).toEqual([expect.stringContaining('/picture" formnovalidate')]);
      }
      expect(form).not.toMatch(/<button[^>]* name=|type="submit"/);
    }
  });

  test('tells its refusal once, in words, with the code', () => {
    if (page === 'dev/components') return;
    const told = [...html.matchAll(/<(\w+)[^>]* data-error="([^"]*)"[^>]*>([\s\S]*?)<\/\1>/g)];
    const whole: Partial<Record<PageName, string>> = {
      'not-found': 'not_found',
      'no-access': 'no_access',
      'helpdesk/no-role': 'forbidden',
      'helpdesk/not-found': 'not_found',
      'helpdesk/client/not-found': 'not_found',
      expired: 'flow_expired',
      'link-gone': 'flow_expired',
      'device/over': 'flow_expired',
    };
    const code = error?.code ?? whole[page];
    expect(told.map((match) => match[2])).toEqual(code === undefined ? [] : [code]);
    for (const match of told) expect(words(match[3] ?? '').length).toBeGreaterThan(20);
    expect(/<title>(?:Gagal|Failed): /.test(html)).toBe(code !== undefined);
  });
});

const find = (page: PageName, state: string): string => rendered.get(`${page}, ${state}, id`) ?? '';

describe('the page contract', () => {
  test.each<[PageName, string, string, readonly string[]]>([
    ['sign-in/password', 'plain', '/sign-in/uid0123456789/password', ['username', 'password']],
    ['sign-in/otp', 'plain', '/sign-in/uid0123456789/otp', ['otp']],
    ['sign-in/otp', 'plain', '/sign-in/uid0123456789/recovery-code', ['recovery_code']],
    ['sign-in/prove-mailbox', 'plain', '/sign-in/uid0123456789/mailbox', ['code']],
    ['sign-in/prove-mailbox', 'plain', '/sign-in/uid0123456789/mailbox/resend', []],
    ['sign-in/enrol', 'plain', '/sign-in/uid0123456789/enrol', ['otp', 'device_name']],
    ['sign-in/recovery-codes', 'plain', '/sign-in/uid0123456789/recovery-codes', ['saved']],
    [
      'sign-in/change-password',
      'plain',
      '/sign-in/uid0123456789/change-password',
      ['new_password', 'confirm_password'],
    ],
    ['reset/password/start', 'plain', '/reset/password', ['username', 'captcha']],
    ['reset/password/email', 'plain', '/reset/password/email', ['email']],
    ['reset/password/code', 'plain', '/reset/password/code', ['code', 'new_password', 'confirm_password', 'otp']],
    ['reset/password/code', 'plain', '/reset/password/resend', []],
    ['reset/weak', 'plain', '/reset/weak', ['username', 'password', 'otp', 'new_password', 'confirm_password']],
    ['account/password', 'plain', '/account/password', ['password', 'new_password', 'confirm_password']],
    ['account/freeze', 'plain', '/account/freeze', []],
    ['account/data', 'plain', '/account/data/file', []],
    ['sign-out/confirm', 'plain', '/oidc/logout/confirm', ['xsrf', 'logout']],
  ])('%s (%s) posts to %s', (page, state, action, fields) => {
    const form =
      new RegExp(`<form method="post" action="${action}">[\\s\\S]*?</form>`).exec(find(page, state))?.[0] ?? '';
    expect(matches(form, /<input[^>]* name="([^"]*)"/g)).toEqual(['csrf', ...fields]);
  });

  test.each<[PageName, string, readonly string[]]>([
    ['front', 'plain', ['LOGIN']],
    ['sign-in/password', 'plain', ['LOGIN', 'RESET']],
    ['reset/password/start', 'plain', ['Check']],
    ['reset/password/email', 'plain', ['Kirim']],
    ['reset/password/code', 'plain', ['Reset Password']],
    ['reset/password/done', 'plain', ['LOGIN']],
    ['sign-in/enrol', 'plain', ['Submit']],
  ])('%s (%s) keeps the labels people know in both languages', (page, state, labels) => {
    for (const locale of LOCALES) {
      const html = rendered.get(`${page}, ${state}, ${locale}`) ?? '';
      expect(matches(html, /class="button[^"]*"[^>]*>([^<]*)</g)).toEqual(expect.arrayContaining([...labels]));
    }
  });

  test('gives bare values in its attributes', () => {
    expect(find('sign-in/enrol', 'plain')).toContain('data-secret="CONTOHKUNCIRAHASIAJANGANDIPAKAI2"');
    expect(find('sign-in/enrol', 'plain')).toContain('<span>CONT</span><span>OHKU</span>');
    expect(find('sign-in/enrol', 'plain')).toMatch(/href="otpauth:\/\/totp\/[^"]*&amp;issuer=/);
    expect(find('reset/password/email', 'plain')).toContain('data-email-hint="s•••••@c•••••"');
    expect(find('sign-in/otp', 'whole hours')).toContain('data-error="clock_drift" data-drift-minutes="-61"');
    expect(find('sign-in/password', 'throttled')).toContain('data-error="throttled" data-retry-after="1790"');
    expect(find('busy', 'plain')).toContain('data-error="busy" data-retry-after="20"');
    expect(find('sign-in/password', 'username missing')).toContain('data-error="invalid_input" data-field="username"');
    expect(matches(find('reset/password/code', 'weak'), /data-rule="([^"]*)"/g)).toEqual(['digit', 'common']);
    expect(matches(find('sign-in/recovery-codes', 'plain'), /data-recovery-code="([^"]*)"/g)).toHaveLength(10);
  });

  test('shows the server time in three zones, with dots in Indonesian and colons in English', () => {
    expect(matches(find('sign-in/otp', 'plain'), /<time[^>]*>([^<]*)</g)).toEqual(['08.15.42', '09.15.42', '10.15.42']);
    expect(rendered.get('sign-in/otp, plain, en')).toContain('08:15:42');
  });

  test('brings back what was typed, but no secret', () => {
    expect(find('sign-in/password', 'wrong')).toMatch(/name="username"[^>]* value="19900101 202321 1 001"/);
    const secrets = ['password', 'otp', 'code', 'new_password', 'confirm_password', 'recovery_code', 'captcha'];
    for (const html of rendered.values()) {
      if (/data-page="(?:dev\/components|form-post)"/.test(html)) continue;
      for (const name of secrets) expect(html).not.toMatch(new RegExp(`<input[^>]* name="${name}"[^>]* value=`));
    }
  });

  test('puts the refusal at its field, and above the form when the form has no such field', () => {
    const at = (field: string): string => render('sign-in/otp', { ...OTP, error: { code: 'invalid_input', field } });
    expect(at('otp')).toContain('id="otp-error" data-error="invalid_input" data-field="otp"');
    expect(at('nonsense')).toContain('id="problem"');
    expect(at('nonsense')).toContain('data-field="nonsense"');
  });
});

describe('what people are told', () => {
  const text = (page: PageName, state: string, locale: Locale): string =>
    words(rendered.get(`${page}, ${state}, ${locale}`) ?? '').replace(/\s+/g, ' ');

  test.each<[PageName, string, Locale, string]>([
    ['sign-in/otp', 'clock slow', 'id', 'Jam ponsel Anda terlambat sekitar 7 menit'],
    ['sign-in/otp', 'clock fast', 'id', 'Jam ponsel Anda terlalu cepat sekitar 1 menit'],
    ['sign-in/otp', 'clock fast', 'en', 'about 1 minute fast'],
    ['sign-in/otp', 'whole hours', 'id', 'Jam ponsel Anda terlambat sekitar 1 jam'],
    ['sign-in/otp', 'whole hours', 'en', 'about 1 hour slow'],
    ['sign-in/otp', 'whole hours ahead', 'id', 'terlalu cepat sekitar 2 jam Karena itu kodenya ditolak.'],
    ['sign-in/otp', 'whole hours ahead', 'id', 'Nyalakan Otomatis . Periksa juga zona waktunya: WIB, WITA, atau WIT.'],
    ['sign-in/otp', 'wrong again', 'id', 'Kode tetap tidak cocok Paling sering karena jam ponsel.'],
    ['sign-in/otp', 'wrong again', 'id', 'Periksa juga zona waktunya'],
    ['sign-in/otp', 'wrong', 'id', 'Buka aplikasi autentikator di Ponsel kerja , lihat kode untuk SSO ASN.'],
    ['sign-in/otp', 'wrong again', 'id', 'Buka aplikasi autentikator di Ponsel kerja , lihat kode untuk SSO ASN.'],
    ['sign-in/otp', 'plain', 'id', 'Jam yang benar'],
    ['sign-in/otp', 'a reset of MFA waits', 'id', 'Reset MFA menunggu sampai 24 November 2026 pukul 08.15 WIB'],
    ['sign-in/otp', 'asked again by the account pages', 'id', 'Untuk mengubah akun Anda, ketik kode sekali lagi.'],
    ['sign-in/otp', 'codes wait', 'id', 'Coba LOGIN dari awal pukul 08.46 WIB.'],
    [
      'sign-in/password',
      'throttled by mails',
      'id',
      'pakai kode dari e-mail terakhir. Bila tidak, coba lagi pukul 08.46 WIB.',
    ],
    ['sign-in/password', 'passkey unknown', 'id', 'tidak terdaftar lagi Pakai NIP dan password.'],
    ['sign-in/prove-mailbox', 'with the code mailed before', 'id', 'Kode yang kami kirim tadi masih berlaku.'],
    ['sign-in/prove-mailbox', 'plain', 'id', 'E-mail terdaftar tidak bisa dibuka?'],
    ['reset/mfa/stop', 'over', 'id', 'Pilih Bukan saya dalam e-mail terakhir dari kami'],
    ['launcher', 'after a recovery code', 'id', 'Kode pemulihan dipakai, tersisa 7'],
    ['launcher', 'after the last recovery code', 'id', 'Buat kode pemulihan baru'],
    ['launcher', 'after a reset of the lost device', 'id', 'Sudah punya ponsel baru?'],
    ['account/devices/add-passkey', 'plain', 'id', 'Nyalakan JavaScript'],
    ['expired', 'a reset of MFA', 'id', 'Bila reset sudah diminta, ia tetap menunggu.'],
    ['sign-in/password', 'throttled', 'id', 'Coba lagi pukul 08.46 WIB, atau pilih RESET sekarang.'],
    ['sign-in/password', 'throttled', 'en', 'Try again at 08:46 WIB, or choose RESET now.'],
    ['sign-in/password', 'throttled shortly', 'id', 'Coba lagi dalam 30 detik'],
    ['sign-in/prove-mailbox', 'throttled', 'id', 'diminta 24 November 2026 pukul 06.30 WIB'],
    ['reset/password/code', 'weak', 'id', 'Password belum memenuhi 2 aturan di bawah ini. Kode Anda masih berlaku.'],
    ['reset/password/code', 'guessable', 'id', 'mudah ditebak karena memuat tanggal lahir Anda. Pilih yang lain.'],
    ['reset/password/code', 'too long', 'id', 'Belum: paling banyak 128 karakter'],
    ['reset/password/code', 'otp required', 'id', 'kode dari e-mail sudah benar'],
    ['expired', 'waited, MFA on', 'id', 'MFA Anda sudah aktif'],
    ['expired', 'five wrong codes', 'id', 'Password Anda tidak berubah'],
    ['sign-in/prove-mailbox', 'no mailbox', 'id', 'BKPSDM'],
    ['account/activity', 'plain', 'id', 'Hari ini, 23 November 2026 Masuk ke MyASN 07.31 WIB , Chrome di Android'],
    ['account/activity', 'plain', 'id', 'Kode ditolak: jam ponsel terlambat 7 menit 07.28 WIB'],
    ['account/activity', 'plain', 'id', 'Jumat, 20 November 2026 Autentikator direset petugas'],
    ['account/activity', 'plain', 'id', 'Nama Petugas, BKPSDM Kabupaten Contoh. Alasan: ponsel hilang'],
    ['account/activity', 'plain', 'id', 'Password salah, 3 kali 09.36 WIB sampai 09.40 WIB , Firefox di Windows'],
    ['account/activity', 'plain', 'en', 'clock is 7 minutes slow 07:28 WIB'],
    ['account/activity', 'plain', 'en', 'Friday, 20 November 2026 Authenticator reset by an officer'],
    ['account/activity', 'plain', 'en', 'Wrong password, 3 times 09:36 WIB to 09:40 WIB , Firefox on Windows'],
    ['account/password', 'old one wrong', 'id', 'Password lama tidak cocok'],
    ['account/data', 'hardly anything', 'en', 'None: Former NIPs, Password, Devices'],
    ['error', 'bug', 'id', '01JDC7Q8ZK2V5N3T'],
  ])('%s (%s, %s): %s', (page, state, locale, expected) => {
    expect(text(page, state, locale)).toContain(expected);
  });

  test('of codes that wait only a passkey is left to use', () => {
    const wait = find('sign-in/otp', 'codes wait');
    expect(wait).toContain('action="/sign-in/uid0123456789/passkey"');
    expect(wait).not.toMatch(/name="(?:otp|recovery_code)"/);
    expect(find('sign-in/otp', 'throttled')).not.toContain('/passkey"');
  });

  test('a recovery code is asked for only where one is left', () => {
    expect(find('sign-in/otp', 'plain')).toContain('name="recovery_code"');
    for (const state of ['no recovery code left', 'passkeys only, no recovery code left']) {
      expect(find('sign-in/otp', state)).not.toMatch(/recovery_code|[Kk]ode pemulihan/);
      expect(find('sign-in/otp', state)).toContain('/reset/mfa?from=');
    }
  });

  test('the account pages can be gone back to when they ask for a code', () => {
    expect(find('sign-in/otp', 'asked again by the account pages')).toContain('href="/account/devices">Batal<');
    expect(find('sign-in/otp', 'asked again')).not.toContain('Batal');
  });

  test('the lost device is chosen, never left to chance', () => {
    const options = (state: string): string[] => matches(find('reset/mfa/factor', state), /<option value="([^"]*)"/g);
    expect(options('two devices')).toEqual(['', 'd1', 'd2']);
    expect(options('three devices')).toEqual(['', 'd1', 'd2', 'd3', 'others']);
    expect(find('reset/mfa/factor', 'two devices')).toContain('<select id="lost" name="lost" required>');
  });

  test.each(['sign-in/enrol', 'account/devices/add/app', 'reset/mfa/factor'] as const)(
    'on %s a link leads from the clock to the field',
    (page) => {
      expect(find(page, 'clock slow')).toContain('href="#otp"');
    },
  );

  test('a whole hour is only told near a whole hour', () => {
    const drift = (driftMinutes: number): string =>
      render('sign-in/otp', { ...OTP, error: { code: 'clock_drift', driftMinutes } });
    expect(drift(115)).toContain('terlalu cepat sekitar 2 jam');
    expect(drift(-115)).toContain('terlambat sekitar 2 jam');
    expect(drift(66)).toContain('sekitar 66 menit');
    expect(drift(-54)).toContain('sekitar 54 menit');
  });

  test('every text is used, and every used text is there', async () => {
    const used = new Set<string>();
    const real = loadTranslators(join(directory, 'locales'));
    const watched =
      (translate: Translate): Translate =>
      (key, values) => {
        used.add(key);
        return translate(key, values);
      };
    const watching = createViews({ directory, translators: { id: watched(real.id), en: watched(real.en) } });
    for (const [page, , data, shell] of SAMPLES) watching.render(page, data, { ...SAMPLE_SHELL, ...shell });
    const paper = createSlipSheet({
      origin: 'https://sso.asn.example',
      institution: 'BKN',
      words: (key, values) => watched(real.id)(`slip.${key}`, values),
      date: () => '28 Desember 2026',
    });
    const slip = { name: 'Sari', nipEnding: '001', agency: 'BKN', code: 'A-B-C-D', expiresAt: SAMPLE_SHELL.now };
    for (const sender of ['BKPSDM', undefined]) await paper.print([slip], { sender, now: SAMPLE_SHELL.now });
    const keys: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node === 'string') keys.push(path);
      else for (const [key, child] of Object.entries(node as object)) walk(child, path === '' ? key : `${path}.${key}`);
    };
    walk(JSON.parse(readFileSync(join(directory, 'locales', 'id.json'), 'utf8')), '');
    expect(keys.filter((key) => !used.has(key) && !key.startsWith('mail.'))).toEqual([]);
  });
});

describe('hostile data', () => {
  const hostile = `"><script>alert('1')</script>&**b**[x](//evil.example)__i__{y}`;
  const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;**b**[x](//evil.example)__i__{y}';

  test.each<[string, string]>([
    ['a device name', render('sign-in/otp', { ...OTP, devices: [{ ...PHONE, name: hostile }] })],
    ['device names', render('sign-in/otp', { ...OTP, devices: [{ ...PHONE, name: hostile }, PHONE] })],
    ['a typed username', render('sign-in/password', { uid: 'u', service: 'S', username: hostile })],
    ['a service', render('sign-in/password', { uid: 'u', service: hostile })],
    ['a search', render('launcher', { groups: [], query: hostile })],
    ['a name', render('launcher', { groups: [] }, { person: { name: hostile } })],
    [
      'a claim',
      render('demo/signed-in', { app: { name: 'A', path: '/a' }, others: [], claims: [{ name: 'x', value: hostile }] }),
    ],
    ['an OAuth error', render('error', { status: 400, error: { code: 'invalid_input' }, oauth: { error: hostile } })],
    ['a field name', render('reset/weak', { error: { code: 'invalid_input', field: hostile } })],
  ])('%s stays text', (_, html) => {
    expect(html).toContain(escaped);
    expect(withoutScript(html)).not.toContain('<script');
    expect(html).not.toMatch(/href="\/\/|<strong>b<|<span lang="en">i</);
  });

  test.each(['//evil.example/', '/\\evil.example/', '\\\\evil.example/'])(
    'the path %s leads to no other site',
    (path) => {
      for (const [page, data] of [
        ['not-found', {}],
        ['busy', { error: { code: 'busy' } }],
      ] as const) {
        const links = matches(render(page, data as never, { path }), / href="([^"]*)"/g);
        expect(links.filter((link) => !/^(\/(?![/\\])|#)/.test(link))).toEqual([]);
      }
    },
  );
});

describe('the templates', () => {
  const templates = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.eta'),
  );

  test('print raw only what layout, parts and marked texts made', () => {
    const raw = templates.flatMap((file) =>
      matches(readFileSync(join(directory, file), 'utf8'), /<%~\s*([^(%]*?)\s*[(%]/g),
    );
    expect(raw.length).toBeGreaterThan(50);
    const allowed = ['it.part', 'it.rich', 'it.marked', 'it.html', 'it.body', 'side'];
    expect(raw.filter((expression) => !allowed.includes(expression))).toEqual([]);
  });

  test('hold no sentence of their own', () => {
    const kept = /^(?:LOGIN|RESET|Check|Kirim|Submit|Reset Password(?: Lemah| \(Lupa Password\))?|Reset MFA|MFA)$/;
    const own = templates
      .filter((file) => file.startsWith('sign-') || file.startsWith('reset'))
      .flatMap((file) => {
        const markup = readFileSync(join(directory, file), 'utf8').replace(/<%[\s\S]*?%>/g, '');
        return matches(markup, />([^<>]*[A-Za-z]{2}[^<>]*)</g).map((found) => found.trim());
      });
    expect(own.filter((found) => !kept.test(found))).toEqual([]);
  });

  test('refuse a member that was not given', () => {
    expect(() => render('sign-in/enrol', { uid: 'u', service: 'S' } as never)).toThrow(/not given|tried to print/);
    expect(() => render('sign-in/password', { uid: 'u', service: undefined } as never)).toThrow('{service}');
  });

  test('stop the start when one is broken', () => {
    const copy = mkdtempSync(join(tmpdir(), 'views-'));
    try {
      cpSync(directory, copy, { recursive: true });
      expect(() => createViews({ directory: copy })).not.toThrow();
      writeFileSync(join(copy, 'help.eta'), '<% if (it.x { %>');
      expect(() => createViews({ directory: copy })).toThrow(/template syntax/);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  test('take less than a millisecond of CPU a page', () => {
    const rounds = 20;
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round++) {
      for (const [page, , data, shell] of SAMPLES) render(page, data, shell);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000 / (rounds * SAMPLES.length)).toBeLessThan(1);
  });
});
