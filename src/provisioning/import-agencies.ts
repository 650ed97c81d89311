import { allAgencies, holdAgencies, saveAgencies } from '../accounts/agencies.js';
import type { Agency } from '../accounts/agency.js';
import type { Clock } from '../kernel/clock.js';
import { agencyCode } from '../kernel/ids.js';
import { withBulkSession } from '../storage/copy.js';
import { misplacedAgencies, type GivenAgency } from './agency-tree.js';
import { UnusableFile } from './csv.js';
import { openImportFile, writeErrorFile, type ImportOutcome } from './import-file.js';
import { isProblem, openTable, type Columns, type RowProblem, type TableRow } from './table.js';

type AgencyColumn = 'code' | 'name' | 'parent_code';
const COLUMNS: Columns<AgencyColumn> = { required: ['code', 'name', 'parent_code'], optional: [] };

const MAX_CODE_LENGTH = 64;
const MAX_NAME_LENGTH = 200;

export interface AgencyImport {
  readonly databaseUrl: string;
  /** `agencies.csv` as docs/CONTRACT tells. */
  readonly path: string;
  /** Where the skipped rows are told. */
  readonly errorsPath: string;
  readonly clock: Clock;
}

/** Loads agencies, all in one transaction; a parent may stand anywhere in the file or be known already. */
export async function importAgencies({ databaseUrl, path, errorsPath, clock }: AgencyImport): Promise<ImportOutcome> {
  try {
    const { given, problems, unknownColumns } = await readAgencies(path);
    return await withBulkSession(databaseUrl, (session) =>
      session.transaction(async (tx) => {
        await holdAgencies(tx);
        const known = new Map((await allAgencies(tx)).map((agency) => [agency.code as string, agency]));
        for (const { line, code, reason } of misplacedAgencies(given, known)) {
          given.delete(code);
          problems.push({ line, column: 'parent_code', reason });
        }
        await writeErrorFile(errorsPath, [problems.sort((one, other) => one.line - other.line)]);
        const agencies = [...given.values()];
        const changes = agencies.map((agency) => changeOf(agency, known.get(agency.code)));
        const count = (change: Change): number => changes.filter((it) => it === change).length;
        await saveAgencies(tx, { agencies, now: clock.now() });
        return {
          kind: 'done' as const,
          created: count('created'),
          updated: count('updated'),
          unchanged: count('unchanged'),
          skipped: new Set(problems.map(({ line }) => line)).size,
          unlikelyAges: [],
          unknownColumns,
        };
      }),
    );
  } catch (error) {
    if (error instanceof UnusableFile) return { kind: 'unusable', reason: error.message };
    throw error;
  }
}

type Change = 'created' | 'updated' | 'unchanged';

function changeOf(agency: Agency, known: Agency | undefined): Change {
  if (known === undefined) return 'created';
  return known.name === agency.name && known.parentCode === agency.parentCode ? 'unchanged' : 'updated';
}

/** The whole file fits into memory: a country has thousands of agencies and units, not millions. */
async function readAgencies(path: string) {
  const { chunks } = await openImportFile(path);
  const table = await openTable(chunks, COLUMNS);
  const given = new Map<string, GivenAgency>();
  const problems: RowProblem[] = [];
  for await (const entries of table.rows) {
    for (const entry of entries) {
      const read = isProblem(entry) ? [entry] : readAgencyRow(entry, given);
      if ('code' in read) given.set(read.code, read);
      else problems.push(...read);
    }
  }
  return { given, problems, unknownColumns: table.unknown };
}

function readAgencyRow(
  row: TableRow<AgencyColumn>,
  given: ReadonlyMap<string, GivenAgency>,
): GivenAgency | readonly RowProblem[] {
  const { line } = row;
  const [code, name, parent] = [row.cell('code'), row.cell('name').normalize('NFC'), row.cell('parent_code')];
  const earlier = given.get(code);
  const faults: readonly [AgencyColumn, string | false][] = [
    ['code', !isFilled(code, MAX_CODE_LENGTH) && `is not 1 to ${MAX_CODE_LENGTH} characters`],
    ['code', earlier !== undefined && `is on line ${earlier.line} too`],
    ['name', !isFilled(name, MAX_NAME_LENGTH) && `is not 1 to ${MAX_NAME_LENGTH} characters`],
  ];
  const problems = faults.flatMap(([column, reason]) => (reason === false ? [] : [{ line, column, reason }]));
  if (problems.length > 0) return problems;
  return { line, code: agencyCode(code), name, parentCode: parent === '' ? undefined : agencyCode(parent) };
}

const isFilled = (text: string, maxLength: number): boolean => text !== '' && text.length <= maxLength;
