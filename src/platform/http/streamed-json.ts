/** An object for JSON, whose lists may be read while they are written. */
export type Streamed<T> = {
  [Field in keyof T]: T[Field] extends readonly (infer Item)[] ? T[Field] | AsyncIterable<Item> : T[Field];
};

/** The JSON of an object, piece by piece. */
export async function* jsonText(object: object): AsyncGenerator<string> {
  let before = '{';
  for (const [field, value] of Object.entries(object)) {
    yield `${before}${JSON.stringify(field)}:`;
    if (isAsyncIterable(value)) yield* jsonList(value);
    else yield JSON.stringify(value);
    before = ',';
  }
  yield '}';
}

/** What `to` makes of each item. */
export async function* each<Item, Made>(
  items: AsyncIterable<Item>,
  to: (item: Item) => Made,
): AsyncGenerator<Made> {
  for await (const item of items) yield to(item);
}

async function* jsonList(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let before = '[';
  for await (const item of items) {
    yield `${before}${JSON.stringify(item)}`;
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
