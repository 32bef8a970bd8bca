import { expect, it } from 'vitest';
import type { ClassScore } from '../api/types';
import { columns, isColumn, sorted } from './scores';

const score = (label: string, recall: number | null, taken: number): ClassScore => ({
  label,
  images: 10,
  precision: recall,
  recall,
  f1: recall,
  most_often_taken_for: null,
  taken_for_count: taken
});
const scores = [score('a', 0.9, 1), score('b', null, 5), score('c', 0.2, 9), score('d', 0.9, 0)];
const labels = (by: (typeof columns)[number]) => sorted(scores, by).map(({ label }) => label);

it('keeps the order of the classes', () => {
  expect(labels('class')).toEqual(['a', 'b', 'c', 'd']);
});

it('puts the weakest first, equals in the order of the classes, unknown last', () => {
  expect(labels('recall')).toEqual(['c', 'a', 'd', 'b']);
  expect(labels('taken')).toEqual(['c', 'b', 'a', 'd']);
});

it('leaves the list it was given as it was', () => {
  sorted(scores, 'recall');
  expect(scores[0]?.label).toBe('a');
});

it('knows its columns', () => {
  expect(isColumn('f1')).toBe(true);
  expect(isColumn('__proto__')).toBe(false);
  expect(isColumn(undefined)).toBe(false);
});
