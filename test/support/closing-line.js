/** Jest reporter: ends every run with one plain line that people and CI read. */
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    if (skipped > 0) {
      const names = results.testResults
        .flatMap((suite) => suite.testResults)
        .filter((test) => test.status === 'pending' || test.status === 'todo')
        .map((test) => test.ancestorTitles[0] ?? test.title);
      process.stdout.write(`skipped groups: ${[...new Set(names)].join('; ')}\n`);
    }
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }

  getLastError() {
    if (process.env.CI === 'true' && this.skippedInCi) return new Error('skipped tests in CI');
    return undefined;
  }
}
