import { describe, expect, it } from 'vitest';
import type { EpochEvent, LogEvent } from '../../../api/types';
import { nothing, read } from '../../../state/history';
import {
  extremes,
  fromZero,
  heat,
  lastUpTo,
  logarithmic,
  readingAt,
  rows,
  smoothed,
  three
} from './course';

const epoch = (n: number, layers: EpochEvent['layers'] = []): EpochEvent => ({
  kind: 'epoch',
  epoch: n,
  step: 10 * n,
  train_loss: 1 / (n + 1),
  train_accuracy: 0.5,
  test_loss: 1,
  test_accuracy: 0.1 * n,
  images_per_second: 100,
  share_of_limit: null,
  elapsed_s: n,
  time_s: {},
  kernels: [],
  watched: [],
  layers
});
const step = (n: number, loss: number | null = n): LogEvent => ({
  kind: 'step',
  step: n,
  epoch: Math.ceil(n / 10),
  loss,
  lr: n / 100,
  elapsed_s: n
});

describe('smoothing', () => {
  it('is the weighted mean of all losses so far, each older one counting w times less', () => {
    const losses = [3, 1, 4, 1, 5];
    const weight = 0.8;
    const found = smoothed(losses, weight);
    losses.forEach((_, n) => {
      const weights = losses.slice(0, n + 1).map((_, i) => weight ** (n - i));
      const sum = weights.reduce((total, one, i) => total + one * losses[i]!, 0);
      expect(found[n]).toBeCloseTo(sum / weights.reduce((total, one) => total + one), 12);
    });
  });

  it('changes nothing at 0, and a constant at no weight', () => {
    expect(smoothed([3, null, 4], 0)).toEqual([3, null, 4]);
    for (const value of smoothed([2, 2, 2], 0.99)) expect(value).toBeCloseTo(2, 12);
  });

  it('leaves out what is no number', () => {
    const without = smoothed([3, 1, 5], 0.5);
    expect(smoothed([3, null, 1, null, 5], 0.5).filter((one) => one !== null)).toEqual(without);
  });
});

describe('axes', () => {
  it.each([3e-7, 0.00009, 0.0007, 0.07, 0.2, 1, 3.4, 812, 12345])(
    'from zero: %d fits under the last tick',
    (most) => {
      const { ticks, place } = fromZero(most);
      expect(ticks[0]!.value).toBe(0);
      expect(ticks.at(-1)!.value).toBeGreaterThanOrEqual(most * (1 - 1e-9));
      expect(ticks.length).toBeLessThanOrEqual(5);
      expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
      expect(place(ticks.at(-1)!.value)).toBeCloseTo(1, 12);
      expect(place(0)).toBe(0);
      expect(place(null)).toBeNull();
    }
  );

  it.each([[[0.3, 0.9]], [[0.002, 5]], [[1e-6, 3, null, 0]], [[2]], [[]]])(
    'logarithmic: equal factors are equal distances, and %j lies on it',
    (values: (number | null)[]) => {
      const { ticks, place } = logarithmic(values);
      for (const value of values.filter((one) => one !== null && one > 0)) {
        expect(place(value)).toBeGreaterThanOrEqual(-1e-9);
        expect(place(value)).toBeLessThanOrEqual(1 + 1e-9);
      }
      expect(place(ticks[0]!.value)).toBeCloseTo(0, 9);
      expect(place(ticks.at(-1)!.value)).toBeCloseTo(1, 9);
      expect(place(4)! - place(2)!).toBeCloseTo(place(2)! - place(1)!, 9);
      expect([place(0), place(-1)]).toEqual([null, null]);
      expect(ticks.length).toBeGreaterThan(1);
    }
  );
});

describe('what is read at a step', () => {
  const history = read(nothing, [
    epoch(0),
    ...Array.from({ length: 10 }, (_, i) => step(i + 1)),
    epoch(1),
    ...[11, 12, 13].map((n) => step(n, n === 12 ? null : n))
  ]);
  const smooth = smoothed(
    history.steps.map(({ loss }) => loss),
    0.5
  );

  it('is that step, and the epoch that was judged last by then', () => {
    const early = readingAt(history, smooth, 4)!;
    expect([early.step, early.loss, early.lr, early.judged!.epoch]).toEqual([4, 4, 0.04, 0]);
    expect(early.smoothed).toBe(smooth[3]);
    const late = readingAt(history, smooth, 12)!;
    expect([late.loss, late.epoch, late.judged!.epoch, late.during!.epoch]).toEqual([
      null,
      2,
      1,
      1
    ]);
  });

  it('is the nearest one where none was taken', () => {
    expect(readingAt(history, smooth, 0)!.step).toBe(1);
    expect(readingAt(history, smooth, 900)!.step).toBe(13);
    expect(readingAt(nothing, [], 5)).toBeNull();
  });

  it('finds the last one up to a step as a search from the end does', () => {
    const items = [2, 3, 5, 5, 8].map((n) => ({ step: n }));
    for (let n = 0; n < 10; n++)
      expect(lastUpTo(items, n)).toBe(items.findLastIndex((one) => one.step <= n));
  });
});

describe('the strip of layers', () => {
  const layer = (name: string, gradient_norm: number | null) => ({
    name,
    gradient_norm,
    update_share: 0.001
  });
  const epochs = [
    epoch(0, [layer('conv1', null)]),
    epoch(1, [layer('conv1', 0.1), layer('dense1', 10)]),
    epoch(2, [layer('conv1', 1), layer('dense1', null)])
  ];

  it('has a row a layer and a value an epoch, the untrained one left out', () => {
    const found = rows(epochs, (one) => one.gradient_norm);
    expect(found).toEqual([
      { name: 'conv1', values: [0.1, 1] },
      { name: 'dense1', values: [10, null] }
    ]);
    expect(extremes(found)).toEqual([0.1, 10]);
    expect(extremes([])).toBeNull();
  });

  it('is read from logs without layers as empty', () => {
    const { layers: _, ...old } = epoch(1);
    expect(rows([old as EpochEvent], (one) => one.gradient_norm)).toEqual([]);
  });

  it('is painted by equal factors', () => {
    const ends = [0.01, 100] as const;
    expect(heat(100, ends)).toBe(1);
    expect(heat(1, ends) - heat(0.1, ends)).toBeCloseTo(heat(10, ends) - heat(1, ends), 12);
    expect(heat(null, ends)).toBe(0);
    expect(heat(0.01, ends)).toBeGreaterThan(0);
  });
});

it('numbers are told in three digits', () => {
  expect([0.01234, 1.5, 123.45, 0.00001234, 0, null].map(three)).toEqual([
    '0.0123',
    '1.5',
    '123.5',
    '1.23e−5',
    '0',
    '–'
  ]);
});
