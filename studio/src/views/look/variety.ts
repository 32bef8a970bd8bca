/** A handful of test photos of every class, interleaved, so that the strip is not all of one kind. */
import { api } from '../../api/client';
import type { Photo } from '../../api/types';

export function interleave<Item>(lists: readonly (readonly Item[])[]): Item[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const rounds = Array.from({ length: longest }, (_, i) =>
    lists.flatMap((list) => list.slice(i, i + 1))
  );
  return rounds.flat();
}

export async function variety(
  run: string,
  classes: readonly string[],
  most: number
): Promise<Photo[]> {
  const shown = classes.slice(0, most);
  const limit = Math.max(1, Math.floor(most / Math.max(1, shown.length)));
  const pages = await Promise.all(
    shown.map((label) => api.photos(run, { split: 'test', label, limit }))
  );
  return interleave(pages.map((page) => page.photos));
}
