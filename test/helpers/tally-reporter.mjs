/** Prints the last line of the run: `N passed, N failed`. */
export default class TallyReporter {
  onRunComplete(_contexts, results) {
    // A file that cannot run at all is a failure too, though none of its tests was counted.
    const broken = results.testResults.filter(({ testExecError }) => testExecError).length;
    const failed = results.numFailedTests + broken + results.numPendingTests + results.numTodoTests;
    // After what jest itself still writes to stderr.
    process.on('exit', () => process.stdout.write(`${results.numPassedTests} passed, ${failed} failed\n`));
    this.error = failed > 0 ? new Error(`${failed} tests failed, were skipped or could not run`) : undefined;
  }

  getLastError() {
    return this.error;
  }
}
