/**
 * Jest reporter: ends every run with one plain line that people and CI read, and names the groups that were skipped.
 * In CI (CI=true) a skip is a failure.
 */
export default class ClosingLine {
  #skipped = 0;

  onRunComplete(_contexts, results) {
    this.#skipped = results.numPendingTests + results.numTodoTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    if (this.#skipped > 0) {
      const groups = results.testResults
        .flatMap((suite) => suite.testResults)
        .filter((test) => test.status === 'pending' || test.status === 'todo')
        .map((test) => test.ancestorTitles[0] ?? test.title);
      process.stdout.write(`skipped groups: ${[...new Set(groups)].join('; ')}\n`);
    }
    // The summary of Jest itself goes to stderr at its own pace; this line stands alone on stdout.
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} skipped` : '';
    process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed${skipped}\n`);
  }

  getLastError() {
    return process.env.CI === 'true' && this.#skipped > 0
      ? new Error(`${this.#skipped} tests were skipped`)
      : undefined;
  }
}
