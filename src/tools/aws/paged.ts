/** Listings that come in pages, of which each is a call of its own. */
import {DeployError} from '../../release/errors.ts';

interface Listing<Page, Item> {
  /** One page; the first without a token. */
  ask(token: string | undefined): Promise<Page>;
  items(page: Page): readonly Item[];
  /** What the next page is asked for with; undefined when there is none. */
  next(page: Page): string | undefined;
  /** Nobody wants more items. */
  readonly most?: number;
}

/** The items of all pages, or the first `most`. `more`: there are others. */
export async function paged<Page, Item>({
  ask,
  items,
  next,
  most = Infinity,
}: Listing<Page, Item>): Promise<{readonly found: readonly Item[]; readonly more: boolean}> {
  const found: Item[] = [];
  let token: string | undefined;
  do {
    const page = await ask(token);
    for (const item of items(page)) found.push(item);
    const following = next(page) || undefined;
    // Asked for once more, it would come for ever.
    if (following !== undefined && following === token) throw new DeployError('AWS answers with the same page again and again');
    token = following;
  } while (token !== undefined && found.length < most);
  return {found: found.slice(0, most), more: token !== undefined || found.length > most};
}
