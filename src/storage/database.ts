/** A row as the driver returns it. Stores turn it into a domain type in one `fromRow`. */
export type Row = Readonly<Record<string, unknown>>;

export interface Queryable {
  /** Runs one statement, prepared under a name made from its text. `bigint` arrives as a string. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export interface Database extends Queryable {
  /** Commits when `work` resolves, rolls back when it throws. Inside, query only `tx`. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
