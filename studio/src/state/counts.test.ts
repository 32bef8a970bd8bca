import { expect, it } from 'vitest';
import { chance, longest, total } from './counts';

const counts = [
  { label: 'cat', train: 100, validation: 5, test: 20 },
  { label: 'frog', train: 80, validation: 0, test: 60 }
];

it('sums each split over the classes', () => {
  expect(total(counts, 'train')).toBe(180);
  expect(total(counts, 'validation')).toBe(5);
  expect(total(counts, 'test')).toBe(80);
});

it('takes always saying the most frequent class for chance', () => {
  expect(chance(counts)).toBe(0.75);
  expect(chance([])).toBeNull();
});

it('finds the largest class', () => {
  expect(longest(counts)).toBe(140);
  expect(longest([])).toBe(1);
});
