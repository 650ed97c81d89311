import { globSync, readFileSync } from 'node:fs';

/** Only the personnel feed moves a person between agencies: nothing else in the program writes that column. */

const FEED = 'src/provisioning/account-apply-store.ts';

/** Statements that write accounts, as they stand in the source: from the verb to what ends the list of columns. */
const WRITES = /\bUPDATE\s+(?:ONLY\s+)?accounts\b[\s\S]*?(?:\bWHERE\b|\bRETURNING\b|`|'\s*[,)])/g;

const writersOf = (column: string): string[] =>
  globSync('src/**/*.ts').filter((file) =>
    [...readFileSync(file, 'utf8').matchAll(WRITES)].some(([statement]) =>
      new RegExp(`\\b${column}\\s*=`).test(statement),
    ),
  );

it('no other statement changes the agency of an account', () => {
  expect(writersOf('agency_code')).toEqual([FEED]);
});

it('would be seen: the same search finds those who write other columns', () => {
  expect(writersOf('frozen_at')).toContain('src/accounts/freezing-store.ts');
  expect(writersOf('disabled_at')).toContain('src/accounts/closing-store.ts');
  expect(writersOf('cred_epoch')).toContain('src/accounts/account-store.ts');
});

it('no statement writes an account that it finds when it adds one, nor through MERGE', () => {
  for (const file of globSync('src/**/*.ts')) {
    const text = readFileSync(file, 'utf8');
    expect([file, /\bMERGE\s+INTO\s+accounts\b/.test(text)]).toEqual([file, false]);
    for (const [statement] of text.matchAll(/INSERT INTO accounts\b[\s\S]*?(?:`|RETURNING)/g)) {
      expect([file, statement.includes('DO UPDATE')]).toEqual([file, false]);
    }
  }
});
