/** An object for JSON, whose lists may be read while they are written, some items at a time. */
export type Streamed<T> = {
  [Field in keyof T]: T[Field] extends readonly (infer Item)[] ? T[Field] | Pages<Item> : T[Field];
};

/** A list of any length, in its order. */
export type Pages<Item> = AsyncIterable<readonly Item[]>;

/** The JSON of an object, piece by piece. */
export async function* jsonText(object: object): AsyncGenerator<string> {
  let before = '{';
  for (const [field, value] of Object.entries(object)) {
    yield `${before}${JSON.stringify(field)}:`;
    if (isAsyncIterable(value)) yield* jsonList(value as Pages<unknown>);
    else yield JSON.stringify(value);
    before = ',';
  }
  yield '}';
}

/** What `to` makes of each item. */
export async function* each<Item, Made>(
  pages: Pages<Item>,
  to: (item: Item) => Made,
): AsyncGenerator<readonly Made[]> {
  for await (const items of pages) yield items.map(to);
}

async function* jsonList(pages: Pages<unknown>): AsyncGenerator<string> {
  let before = '[';
  for await (const items of pages) {
    if (items.length === 0) continue;
    yield before + items.map((item) => JSON.stringify(item)).join(',');
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

function isAsyncIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
