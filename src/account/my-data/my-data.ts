import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Database, Row } from '../../storage/database.js';
import type { Quota } from '../../throttle/policies.js';
import { spendQuotas } from '../../throttle/quotas.js';
import type { Trace } from '../../throttle/visitor.js';
import { hasWord, HOLDINGS, LEFT_OUT, type Showing } from './holdings.js';
import { selectHeld, type Place } from './holding-store.js';

/** Rows of one statement of the file: what is in memory at once, and for how long a connection is taken. */
const BATCH_ROWS = 500;
/** Rows of each table on the page; the rest is in the file. */
const PAGE_ROWS = 3;
/** A file of 50,000 rows costs some hundred statements. */
const FILES_A_DAY: Quota = { scope: 'data-files', limit: 10, windowSeconds: 24 * 3600 };

/** One thing that is held, to be shown. */
export interface HeldValue {
  readonly label: string;
  readonly shown: Exclude<Showing, 'file'>;
  readonly value: unknown;
}

export interface HeldSection {
  readonly name: string;
  readonly rows: readonly (readonly HeldValue[])[];
  /** True: there are more than are shown. */
  readonly hasMore: boolean;
}

export type FileAnswer =
  | { readonly kind: 'file'; readonly parts: AsyncIterable<string> }
  | { readonly kind: 'throttled'; readonly until: Date };

/** Everything held about a person, for that person (UU PDP, R-45). No secrets, and nothing of anybody else. */
export interface MyData {
  /** The newest of each kind. */
  read(accountId: AccountId): Promise<readonly HeldSection[]>;
  /** All of it as JSON, read while it is sent. Leaves an audit row; ten a day. */
  file(accountId: AccountId, trace: Trace): Promise<FileAnswer>;
}

export function createMyData(parts: {
  db: Database;
  audit: Audit;
  keyed: KeyedDigest;
  clock: Clock;
  /** In both languages: nobody knows who will read the file. */
  texts: Readonly<Record<'id' | 'en', (key: string) => string>>;
}): MyData {
  const { db, audit, keyed, clock, texts } = parts;

  const notInThisFile = (): object =>
    Object.fromEntries(
      Object.entries(LEFT_OUT).map(([table, { kind }]) => {
        const key = `account.data.leftOut.${kind}`;
        return [table, { id: texts.id(key), en: texts.en(key) }];
      }),
    );

  function valuesOf(name: string, row: Row): HeldValue[] {
    const { told = {}, added = {} } = HOLDINGS[name] ?? {};
    const showings = [
      ...Object.entries(told),
      ...Object.entries(added).map(([key, { shown }]) => [key, shown] as const),
    ];
    return showings.flatMap(([label, shown]) => {
      if (shown === 'file') return [];
      const value = row[label];
      return [{ label, value, shown: shown === 'word' && !hasWord(value) ? 'text' : shown }];
    });
  }

  async function* write(accountId: AccountId): AsyncGenerator<string> {
    const head = { format: 'sso-asn/my-data/1', made_at: clock.now(), account_id: accountId };
    yield JSON.stringify(head).slice(0, -1);
    for (const [name, holding] of Object.entries(HOLDINGS)) {
      yield `,\n"${name}":[`;
      let behind: Place | undefined;
      do {
        const isFirst = behind === undefined;
        const { rows, next } = await selectHeld(db, holding, { accountId, behind, limit: BATCH_ROWS });
        if (rows.length > 0) yield `${isFirst ? '' : ','}\n${rows.map((row) => JSON.stringify(row)).join(',\n')}`;
        behind = next;
      } while (behind !== undefined);
      yield ']';
    }
    yield `,\n"not_in_this_file":${JSON.stringify(notInThisFile())}}\n`;
  }

  return {
    async read(accountId) {
      const sections: HeldSection[] = [];
      for (const [name, holding] of Object.entries(HOLDINGS)) {
        const { rows } = await selectHeld(db, holding, { accountId, limit: PAGE_ROWS + 1 });
        const shown = rows.slice(0, PAGE_ROWS).map((row) => valuesOf(name, row));
        sections.push({ name, rows: shown, hasMore: rows.length > PAGE_ROWS });
      }
      return sections;
    },

    file: (accountId, { requestId, agent }) =>
      db.transaction<FileAnswer>(async (tx) => {
        const places = [{ quota: FILES_A_DAY, key: keyed('data file', accountId) }];
        const spending = await spendQuotas(tx, { places, now: clock.now() });
        if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
        await audit.record(tx, { type: 'account.data_exported', detail: {}, accountId, requestId, agent });
        return { kind: 'file', parts: write(accountId) };
      }),
  };
}
