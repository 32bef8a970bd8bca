/** Sums over the classes of a data set. */
import type { SplitCount } from '../api/types';

export type Split = 'train' | 'validation' | 'test';

export const splits: readonly Split[] = ['train', 'validation', 'test'];

export function total(counts: readonly SplitCount[], split: Split): number {
  return counts.reduce((sum, count) => sum + count[split], 0);
}

/** Accuracy of always saying the class with the most test photos; null without test photos. */
export function chance(counts: readonly SplitCount[]): number | null {
  const all = total(counts, 'test');
  return all > 0 ? Math.max(...counts.map((count) => count.test)) / all : null;
}

/** Photos of the largest class over all splits: the full length of a bar. */
export function longest(counts: readonly SplitCount[]): number {
  return Math.max(1, ...counts.map((count) => count.train + count.validation + count.test));
}
