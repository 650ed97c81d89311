/** A column whose values are sealed, told by whoever seals them: start and `keys reseal` go through all of them. */
export interface SealedPlace {
  readonly table: string;
  readonly column: string;
  /** What the context of a value is made of: columns of its row, or expressions over them that give text. */
  readonly row: readonly string[];
  /** What a value is bound to, so that it opens nowhere else. */
  readonly context: (...row: readonly string[]) => string;
}

/** `table|id|column`: how most of them are bound. */
export const sealedColumn = (table: string, column: string, id = 'id'): SealedPlace => ({
  table,
  column,
  row: [id],
  context: (value = '') => `${table}|${value}|${column}`,
});
