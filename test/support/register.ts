import pg from 'pg';

/** A register of the size and the names of the real one, for what must be fast with everybody in it. */

/** First names and how often they come, of a thousand; the rest are drawn evenly. */
const OFTEN: readonly (readonly [name: string, share: number])[] = [
  ['Siti', 62],
  ['Muhammad', 58],
  ['Sri', 41],
  ['Nur', 38],
  ['Ahmad', 33],
  ['Dewi', 21],
  ['Agus', 19],
  ['Ni', 14],
  ['I', 13],
  ['Abdul', 12],
];
const FIRST =
  'Budi Eko Endang Yuni Rina Andi Wahyu Hendra Fitri Ratna Dian Indah Rini Yulia Arif Bambang Joko Slamet Suryani Maria Yohanes Herman Iwan Rudi Lina Nurul Putri Desi Tri Hadi Rahmat Asep Dedi Ujang Yanti Kartini Rosmawati Made Wayan Ketut Nyoman Kadek Gusti Ayu Anak Dimas Galih Intan Mega Novi Oki Pipit Qori Reza Sinta Tuti Umar Vina Wulan Yoga Zainal'.split(
    ' ',
  );
const LATER =
  'Aminah Nurhaliza Rahayu Wahyuni Handayani Lestari Setiawan Hidayat Saputra Wijaya Kusuma Nugroho Purnomo Santoso Susanto Utami Wulandari Pratiwi Anggraini Maharani Fauziah Khadijah Maryam Hasanah Zulaikha Rahman Rahim Hakim Latif Ghani Yusuf Ibrahim Ismail Idris Sulaiman Daud Harahap Nasution Siregar Lubis Sitompul Simanjuntak Sitorus Hutapea Panggabean Manullang Tampubolon Sinaga Purba Girsang Ginting Tarigan Sembiring Sitepu Barus Suparman Sutrisno Supriyadi Sudarsono Suharto Mulyadi Mulyono Haryanto Hartono Hermawan Kurniawan Gunawan Darmawan Irawan Setyawan Permana Firmansyah Ardiansyah Ramadhan Maulana Akbar Syahputra Pangestu Prasetyo Widodo Wibowo Prabowo Subagyo Sugiarto Sukarno Suryadi Suryanto Yulianto Yuliana Yusnita Zahra Zulkifli'.split(
    ' ',
  );

/** One large tree of 121 agencies with 15 in 100 people, 479 others in groups of about ten. */
export const LARGE_TREE = 'A-0';
export const SMALL_TREE = 'K-0';
const UNITS = 120;
const OTHERS = 479;

const parentOf = (prefix: string, index: number): number =>
  prefix === 'A' ? Math.floor((index - 1) / 10) : index - (index % 10);

function agencies(): [code: string, name: string, parent: string | null][] {
  const unit = (prefix: string, index: number): [string, string, string | null] => {
    const parent = parentOf(prefix, index);
    const isRoot = index === 0 || parent === index;
    return [`${prefix}-${index}`, `Unit ${prefix} ${index}`, isRoot ? null : `${prefix}-${parent}`];
  };
  return [
    ...Array.from({ length: UNITS + 1 }, (_, index) => unit('A', index)),
    ...Array.from({ length: OTHERS }, (_, index) => unit('K', index)),
  ];
}

const lots = OFTEN.flatMap(([name, share]) => Array.from({ length: share }, () => name));
/** A thousand draws. */
const FIRST_NAMES = [...lots, ...Array.from({ length: 1000 - lots.length }, (_, index) => FIRST[index % FIRST.length])];

const AT_ONCE = 50_000;

// The draws come from the number of the person, so that every run has the same people.
const PEOPLE = `
  INSERT INTO accounts (nip, name, email, employment, agency_code, status, activated_at, created_at, updated_at)
  SELECT '1980' || lpad(n::text, 14, '0'),
         ($3::text[])[1 + (h & 2147483647) % 1000]
           || ' ' || ($4::text[])[1 + ((h >> 20) & 1048575) % cardinality($4::text[])]
           || CASE WHEN (h & 7) < 3 THEN ' ' || ($4::text[])[1 + ((h >> 40) & 1048575) % cardinality($4::text[])] ELSE '' END
           || CASE WHEN (h & 15) = 8 THEN ', S.Pd.' ELSE '' END,
         'p' || n || '@contoh.example', 'PNS',
         CASE WHEN (h >> 8) & 127 < 19 THEN 'A-' || ((h >> 15) & 1048575) % ${UNITS + 1}
              ELSE 'K-' || ((h >> 15) & 1048575) % ${OTHERS} END,
         'active', $5, $5, $5
    FROM generate_series($1::int, $2::int) AS n, hashint8extended(n, 1) AS h`;

/** The NIP of the person of this number. */
export const nipAt = (index: number): string => `1980${String(index).padStart(14, '0')}`;

/** Fills a migrated database; `say` hears how far it is. */
export async function fillRegister(
  url: string,
  { people, now, say = () => undefined }: { people: number; now: Date; say?: (text: string) => void },
): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const tree = agencies();
    const above = new Map(tree.map(([code, , parent]) => [code, parent]));
    const lineage = (code: string): string[] => {
      const parent = above.get(code);
      return parent == null ? [code] : [...lineage(parent), code];
    };
    for (const [code, name, parent] of tree) {
      await client.query(
        'INSERT INTO agencies (code, name, parent_code, ancestors, updated_at) VALUES ($1, $2, $3, $4, $5)',
        [code, name, parent, lineage(code), now],
      );
    }
    for (let from = 0; from < people; from += AT_ONCE) {
      await client.query(PEOPLE, [from, Math.min(from + AT_ONCE, people) - 1, FIRST_NAMES, LATER, now]);
      say(`${Math.min(from + AT_ONCE, people)} people`);
    }
    await client.query(
      `INSERT INTO nip_history (account_id, nip, recorded_at)
       SELECT id, '1970' || right(nip, 14), $1 FROM accounts WHERE right(nip, 2) = '07'`,
      [now],
    );
    await client.query('VACUUM (ANALYZE) accounts, account_name_words, agencies, nip_history');
  } finally {
    await client.end();
  }
}
