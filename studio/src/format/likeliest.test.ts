import { expect, it } from 'vitest';
import { leftOut, likeliest } from './likeliest';

const thousand = Array.from({ length: 1000 }, (_, k) => (k % 100 === 7 ? 0.05 : 0.0001));

it('draws every class where there are few', () => {
  expect(
    likeliest(
      [
        [0.2, 0.8],
        [0.1, 0.9]
      ],
      null
    )
  ).toEqual([0, 1]);
  expect(leftOut(2, 2)).toBe('');
});

it('draws the likeliest of either side and the true one of many, in their order', () => {
  const after = thousand.map((share, k) => (k === 500 ? 0.9 : share));
  const drawn = likeliest([thousand, after], 3);
  expect(drawn).toHaveLength(12);
  expect(drawn).toEqual([...drawn].sort((a, b) => a - b));
  for (const k of [3, 7, 500, 907]) expect(drawn).toContain(k);
  expect(leftOut(12, 1000)).toBe('The likeliest 12 of 1,000 classes.');
});

it('draws the true one even where an answer has no numbers yet', () => {
  expect(likeliest([thousand, thousand.map(() => null)], 999)).toContain(999);
});
