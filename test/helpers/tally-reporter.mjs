/** Prints the last line of the run: `N passed, N failed`. */
export default class TallyReporter {
  constructor({ testNamePattern }) {
    // Tests that the person at the keyboard left out are no defect; skipped ones are.
    this.isFiltered = Boolean(testNamePattern);
  }

  onRunComplete(_contexts, results) {
    // A file that cannot run at all is a failure too, though none of its tests was counted.
    const broken = results.testResults.filter(({ testExecError }) => testExecError).length;
    const skipped = this.isFiltered ? 0 : results.numPendingTests + results.numTodoTests;
    const failed = results.numFailedTests + broken + skipped;
    // After what jest itself still writes to stderr.
    process.on('exit', () => process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`));
    this.error = failed > 0 ? new Error(`${failed} tests failed, were skipped or could not run`) : undefined;
  }

  getLastError() {
    return this.error;
  }
}
