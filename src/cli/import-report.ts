import type { ImportOutcome } from '../provisioning/import-file.js';

const number = new Intl.NumberFormat('en');

/** Tells how an import of agencies ended: counts on stdout, what needs a look on stderr. Answers the exit code. */
export function reportImport(outcome: ImportOutcome, about: { errorsPath: string; dryRun: boolean }): number {
  if (outcome.kind === 'unusable') {
    console.error(`nothing imported: ${outcome.reason}`);
    return 1;
  }
  if (outcome.kind === 'busy') {
    console.error('nothing imported: another import is running');
    return 1;
  }
  const { unknownColumns, skipped } = outcome;
  const counts = (['created', 'updated', 'unchanged', 'skipped'] as const).map(
    (count) => `${count} ${number.format(outcome[count])}`,
  );
  console.log(`${about.dryRun ? 'dry run, nothing changed: ' : ''}${counts.join(', ')}`);
  if (unknownColumns.length > 0) console.error(`passed over unknown columns: ${unknownColumns.join(', ')}`);
  if (skipped === 0) return 0;
  console.error(
    `${number.format(skipped)} ${skipped === 1 ? 'row was' : 'rows were'} skipped, see ${about.errorsPath}`,
  );
  return 1;
}
