/**
 * Rows that may be forgotten: those of `table` that meet `where`, in which `$1` is the time of the purge
 * (`timestamptz`). Both are written by us, in the slice that owns the table; nothing typed by anyone gets here.
 */
export interface Expiry {
  readonly table: string;
  /** For example `expires_at < $1`. */
  readonly where: string;
}
