import { personalPart, unmetRules, type PasswordRule } from '#src/accounts/password-policy.js';
import type { PasswordOwner, PersonalKind } from '#src/accounts/personal-words.js';
import type { Nip } from '#src/accounts/nip.js';

const owner: PasswordOwner = {
  nip: '198608172015051001' as Nip,
  accountName: undefined,
  name: 'Siti Rahmawati, S.Kom.',
  email: 'srahma_klaten@pos.example',
  agency: { name: 'Dinas Perhubungan Kabupaten Wonosari' },
};

const good = 'Xk7#mQ';

const cases: readonly (readonly [string, string, readonly PasswordRule[]])[] = [
  // Passphrases and random ones.
  ['a passphrase', 'Kuda Zebra 7 lari-lari', []],
  ['a passphrase of English words', 'Correct Horse 9 Battery', []],
  ['a random one', 'Xk7#mQp2vLw!', []],
  ['a random one of 12', 'aB3$xY7&kLmZ', []],
  ['spaces as the only symbol', 'Xk7 mQp2 vLw4 zR', []],
  ['space at the ends', ' Xk7mQp2vLwR9 ', []],
  ['128 code points', 'Xk7#'.padEnd(128, 'mQpvLwzR'), []],
  ['letters of other scripts', 'Жкé7#Qмп2вЛwы', []],
  ['digits of another script', 'Xkrt#mQpwvLwم٣', []],
  ['full-width letters and digits', 'Ｘｋ７＃ｍＱｐ２ｖＬｗ！', []],
  ['twelve code points of four bytes and the kinds', '😀🦊🐙🌵🍉🎻🛶🚲🧭Xk7', []],
  ['a zero-width joiner counts as a code point', '👩\u200d🚀👨\u200d🌾Xk7mQp', []],
  ['NUL inside', 'Xk7#mQp\u00002vLw', []],
  ['a tab inside', 'Xk7#mQp\t2vLw', []],
  ['the currency sign as symbol', 'Xk7€mQp2vLwR', []],
  ['composed letters', 'Ré7#mQp2vLwé', []],
  ['the same letters decomposed', 'Re\u03017#mQp2vLwe\u0301', []],
  // Length.
  ['nothing', '', ['min_length', 'upper', 'lower', 'digit', 'symbol']],
  ['eleven', 'Xk7#mQp2vLw', ['min_length']],
  ['eleven emoji and the kinds', '😀🦊🐙🌵🍉🎻🛶🚲Xk7', ['min_length']],
  ['eleven once composed', 'Xk7#mQp2vLe\u0301', ['min_length']],
  ['129 code points', `${good}${'abcdefgh'.repeat(16)}`.slice(0, 129), ['max_length']],
  ['129 emoji', '😀'.repeat(129), ['max_length']],
  ['1025 bytes', 'a'.repeat(1025), ['max_length']],
  ['fewer characters but 1025 bytes', '€'.repeat(342), ['max_length']],
  ['128 that become 2304', '\ufdfa'.repeat(128), ['max_length']],
  // Composition.
  ['no upper', 'xk7#mqp2vlwr', ['upper']],
  ['no lower', 'XK7#MQP2VLWR', ['lower']],
  ['no digit', 'Xkz#mQpzvLwR', ['digit']],
  ['no symbol', 'Xk7zmQp2vLwR', ['symbol']],
  ['letters only', 'xkzwmqpzvlwr', ['upper', 'digit', 'symbol']],
  ['emoji only', '😀🦊🐙🌵🍉🎻🛶🚲🧭🪁🥁🧩', ['upper', 'lower', 'digit']],
  ['a symbol that a letter hides', 'Xk7zmQp2vLwª', ['symbol']],
  ['Chinese characters are neither upper nor lower', '山川海空雲7#風雨雪木林森', ['upper', 'lower']],
  // What such rules breed.
  ['the classic', 'Password123!', ['common']],
  ['the classic in leet', 'P@ssw0rd1234', ['common']],
  ['the classic in thick leet', 'P4$$w0rd!2024', ['common']],
  ['the country and the year', 'Indonesia2025!', ['common']],
  ['the country in leet', '1nD0n3sia#2024', ['common']],
  ['the year before', '#2024Indonesia', ['common']],
  ['two words', 'SayangIndonesia1!', ['common']],
  ['two words and a digit between', 'Merdeka17Agustus!', ['common']],
  ['a word twice', 'SayangSayang12!', ['common']],
  ['a word three times', 'Sayang-Sayang-Sayang-1', ['common']],
  ['a month and a year', 'Agustus-2025!!', ['common']],
  ['an English month', 'December@2025', ['common']],
  ['a city', 'Semarang#12345', ['common']],
  ['a prayer', 'Bismillah@123', ['common']],
  ['keys in a row', 'Qwertyuiop1!', ['common']],
  ['keys in columns', '1qaz@WSX3edc', ['common']],
  ['woven keys', '1Q2w3e4r5t6y!', ['common']],
  ['digits in a row', 'Aa@123456789', ['common']],
  ['the alphabet', 'Abcdefghijk1!', ['common']],
  ['one letter', 'Aaaaaaaaaaa1!', ['common']],
  ['runs', 'AAAbbb111!!!', ['common']],
  ['a first name', 'Budianto_1990', ['common']],
  ['a word with two letters more', 'xXPassword1!', ['common']],
  ['full-width disguise', 'Ｐａｓｓｗｏｒｄ１２３！', ['common']],
  ['marks as disguise', 'Pässwörd123!', ['common']],
  ['symbols doubled', '!!Admin@@2024##', ['common']],
  // What whoever knows the person would try.
  ['the NIP', 'Aa!198608172015051001', ['personal']],
  ['half of the NIP', 'Xk!72015051001q', ['personal']],
  ['birth date, year first', 'Zz#19860817-wQ', ['personal']],
  ['birth date, day first', 'xQ9#17081986zzKp', ['personal']],
  ['birth date, month first', 'xQ9#08171986zzKp', ['personal']],
  ['birth date, year and day first', 'xQ9#19861708zzKp', ['personal']],
  ['birth date with dashes', '17-08-1986 Aku!', ['personal']],
  ['birth date in six digits', 'Kp#170886.zzQw', ['personal']],
  ['name and year', 'Siti-Rahmawati-86!', ['personal']],
  ['name backed by digits', 'Rahmawati#12345', ['personal']],
  ['agency in leet', 'W0n0s4ri!2024', ['personal']],
  ['e-mail', 'Srahma_Klaten#1', ['personal']],
  ['agency', 'Wonosari!2025', ['personal']],
  ['agency and a common word', 'WonosariJaya#1', ['personal']],
  ['the service', 'BknSiasn2025!', ['personal']],
  ['MyASN', 'MyAsn@2025!!!', ['personal']],
];

test.each(cases)('%s: %j', (_what, password, unmet) => {
  expect(unmetRules(password, owner)).toEqual(unmet);
});

const parts: readonly (readonly [string, PersonalKind | undefined])[] = [
  ['Aa!198608172015051001', 'birth_date'],
  ['Xk!72015051001q', 'nip'],
  ['17-08-1986 Aku!', 'birth_date'],
  ['Siti-Rahmawati-86!', 'name'],
  ['Srahma_Klaten#1', 'email'],
  ['Wonosari!2025', 'agency'],
  ['BknSiasn2025!', 'service'],
  ['Password123!', undefined],
  ['Xk7#mQp2vLw!', undefined],
  ['a'.repeat(1_000_000), undefined],
];

test.each(parts)('says what %j is made of: %s', (password, kind) => {
  expect(personalPart(password, owner)).toBe(kind);
});

test('knows nothing personal of an owner without e-mail and with a one-word name', () => {
  const plain: PasswordOwner = { ...owner, name: 'Su', email: undefined, agency: { name: 'X' } };
  expect(unmetRules('Xk7#mQp2vLw!', plain)).toEqual([]);
  expect(unmetRules('Siti-Rahmawati-86!', plain)).toEqual(['common']);
});

/** Deterministic, so that a failure can be seen again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** What a guesser's word list begins with; chosen without a look at ours. */
const GUESSED =
  `password admin welcome indonesia jakarta bandung surabaya merdeka garuda pancasila bismillah sayang cinta
  rahasia qwerty letmein iloveyou sunshine dragon football monkey princess superman batman komputer sekolah keluarga
  bahagia selamat nusantara januari februari oktober desember senin jumat minggu semarang yogyakarta medan makassar
  palembang denpasar malang bogor bekasi depok tangerang pegawai kantor dinas provinsi kabupaten budi agus dewi putri
  rizky fitri wahyu bambang susanti nurul rahmat hidayat kurniawan setiawan saputra wijaya lestari ramadhan lebaran
  alhamdulillah masyaallah persib persija arema liverpool chelsea juventus barcelona samsung android google facebook
  instagram matahari bintang bunga mawar melati kucing harimau rajawali mangga rendang bakso kopi motor honda yamaha
  siti rahmawati wonosari perhubungan bkn siasn myasn asn`.split(/\s+/);

const LEET: Readonly<Record<string, string>> = { a: '4', e: '3', i: '1', o: '0', s: '5' };

test('refuses at least 95 % of 500 weak passwords that are composed as the rules ask', () => {
  const roll = dice(20_261_123);
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)] as T;
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
  const shapes: readonly ((word: string, other: string) => string)[] = [
    (word) => `${capital(word)}${1_950 + roll(80)}${pick(['!', '@', '#', '.', '*'])}`,
    (word) => `${capital(word)}@${roll(10_000)}`,
    (word) => `${capital(word)}123${pick(['!', '!!', '#', '_'])}`,
    (word, other) => `${capital(word)}${capital(other)}${roll(100)}!`,
    (word, other) => `${capital(word)}-${other}-${2_000 + roll(30)}`,
    (word) => `${capital(word.replace(/[aeios]/g, (char) => LEET[char] ?? char))}!${roll(1_000)}xA`,
    (word) => `${capital(word)}${capital(word)}#${roll(100)}`,
    (word) => `#${roll(10_000)}${capital(word)}!`,
    (word) => `${capital(word)}ku_${2_000 + roll(30)}`,
  ];
  const weak: string[] = [];
  while (weak.length < 500) {
    const made = pick(shapes)(pick(GUESSED), pick(GUESSED));
    const padded = made.padEnd(12, '1');
    const composed =
      /\p{Lu}/u.test(padded) && /\p{Ll}/u.test(padded) && /\d/.test(padded) && /[^\p{L}\d]/u.test(padded);
    if (composed) weak.push(padded);
  }
  const passed = weak.filter((password) => unmetRules(password, owner).length === 0);
  expect(passed.length <= 25 ? [] : passed).toEqual([]);
});

test('refuses none of 1,000 random strong passwords', () => {
  const roll = dice(1_945_0817);
  const refused: string[] = [];
  for (let made = 0; made < 1_000;) {
    const password = Array.from({ length: 12 + roll(9) }, () => String.fromCharCode(33 + roll(94))).join('');
    if (!/[A-Z]/.test(password) || !/[a-z]/.test(password) || !/[0-9]/.test(password)) continue;
    if (!/[^A-Za-z0-9]/.test(password)) continue;
    made += 1;
    if (unmetRules(password, owner).length > 0) refused.push(password);
  }
  expect(refused).toEqual([]);
});

test('refuses 16 MiB before it normalises them, in less than a millisecond', () => {
  const huge = '\ufdfa'.repeat(16 * 1024 * 1024);
  unmetRules('warm up', owner);
  const before = performance.now();
  const unmet = unmetRules(huge, owner);
  const took = performance.now() - before;
  expect(unmet).toEqual(['max_length']);
  expect(took).toBeLessThan(1);
});
