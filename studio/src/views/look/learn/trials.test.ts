import { expect, test } from 'vitest';
import { atPoint, bestTrial } from './trials';

const trial = (step: number, kinks: number) => ({
  step,
  kinks,
  loss_above: 0,
  loss_below: 0,
  slope: 0,
  shown_step: String(step),
  shown_above: '0',
  shown_below: '0',
  shown_slope: '0',
  shown_gradient: '0',
  shown_apart: '0'
});
const with_ = (...kinks: number[]) => kinks.map((count, i) => trial(10 ** -(i + 2), count));

test('the first shown is the largest step of a thousandth or less without a corner', () => {
  expect(bestTrial(with_(0, 0, 0, 0))?.step).toBeCloseTo(1e-3);
  expect(bestTrial(with_(9, 2, 0, 0))?.step).toBeCloseTo(1e-4);
  expect(bestTrial(with_(9, 2, 1, 1))?.step).toBeCloseTo(1e-5);
  expect(bestTrial([])).toBeUndefined();
});

test('points stand below each other, whatever stands before them', () => {
  const shown = ['2.08', '−1.1328', '12.5', 'nan'];
  const placed = atPoint(shown);
  expect(placed.map((text) => text.trim())).toEqual(shown);
  const points = placed.slice(0, 3).map((text) => text.indexOf('.'));
  expect(new Set(points).size).toBe(1);
});
