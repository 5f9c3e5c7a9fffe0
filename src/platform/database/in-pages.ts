const PAGE = 500;

/**
 * Reads a list of any length, of which only a page is in memory.
 *
 * @param read a page: the items behind the one of a key, in the order of the keys.
 */
export async function* inPages<Item, Key>(
  read: (page: { limit: number; after: Key | undefined }) => Promise<readonly Item[]>,
  keyOf: (item: Item) => Key,
): AsyncGenerator<readonly Item[]> {
  let after: Key | undefined;
  for (;;) {
    const items = await read({ limit: PAGE, after });
    yield items;
    const last = items.at(-1);
    if (last === undefined || items.length < PAGE) return;
    after = keyOf(last);
  }
}
