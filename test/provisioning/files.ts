import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the CSV files of one test file. */
export class Files {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sso-asn-import-'));

  path(name: string): string {
    return join(this.#folder, name);
  }

  write(name: string, content: string | Buffer): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** The lines of an error file without its header; undefined when there is no such file. */
  problems(name = 'errors.csv'): readonly string[] | undefined {
    if (!existsSync(this.path(name))) return undefined;
    const [header, ...lines] = readFileSync(this.path(name), 'utf8').trimEnd().split('\n');
    if (header !== 'line,column,reason') throw new Error(`the error file begins with ${String(header)}`);
    return lines;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
