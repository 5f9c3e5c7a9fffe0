/** An error whose message tells an operator what to mend; a stack would only hide it. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}
