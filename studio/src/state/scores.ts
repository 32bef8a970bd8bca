/** The order of the class table. */
import type { ClassScore } from '../api/types';

export type ScoreColumn = 'class' | 'photos' | 'recall' | 'precision' | 'f1' | 'taken';

export const columns: readonly ScoreColumn[] = [
  'class',
  'photos',
  'recall',
  'precision',
  'f1',
  'taken'
];

const value: Record<ScoreColumn, (score: ClassScore) => number | null> = {
  class: () => null,
  photos: (score) => score.images,
  recall: (score) => score.recall,
  precision: (score) => score.precision,
  f1: (score) => score.f1,
  taken: (score) => -score.taken_for_count
};

/** Weakest first, since that is what a table of scores is sorted for; unknown values come last. */
export function sorted(scores: readonly ClassScore[], by: ScoreColumn): readonly ClassScore[] {
  if (by === 'class') return scores;
  const of = value[by];
  return [...scores].sort((a, b) => (of(a) ?? Infinity) - (of(b) ?? Infinity) || 0);
}

export function isColumn(text: string | undefined): text is ScoreColumn {
  return columns.some((column) => column === text);
}
