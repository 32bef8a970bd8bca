/** Which classes are drawn where there are too many for all. */
export const mostClasses = 24; // that are all drawn
export const fewClasses = 12; // of more; below them there is room for a sentence

/**
 * Places of the classes, in their order: all of them, or of more than 24 the 12 whose largest share
 * of any network or moment is largest. The one at `always` is among them; shares are 0 to 1.
 */
export function likeliest(
  shares: readonly (readonly (number | null)[])[],
  always: number | null
): number[] {
  const count = Math.max(0, ...shares.map((side) => side.length));
  const all = Array.from({ length: count }, (_, k) => k);
  if (count <= mostClasses) return all;
  const largest = all.map((k) => Math.max(...shares.map((side) => side[k] ?? 0)));
  const rank = (k: number) => (k === always ? Infinity : largest[k]!);
  return all
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, fewClasses)
    .sort((a, b) => a - b);
}

/** What is said of those that are not drawn; nothing where all are. */
export const leftOut = (drawn: number, count: number): string =>
  drawn < count ? `The likeliest ${drawn} of ${count.toLocaleString('en')} classes.` : '';
