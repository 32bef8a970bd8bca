import { describe, expect, it } from 'vitest';
import { layerOf } from '../../../network/sample';
import { decimalsFor, matrices } from './weights';

const part = (name: string, shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const weights = { shape, values: Float32Array.from({ length: size }, (_, i) => i) };
  return { layer: 'x', name, weights, gradient: { shape, values: weights.values.map((v) => -v) } };
};

describe('the learned numbers of a unit', () => {
  it('of a convolution are one kernel a channel, largest gradients first', () => {
    const found = matrices(part('weight', [2, 3, 2, 2]), 1, undefined);
    expect(found.map((m) => m.label)).toEqual(['#2', '#1', '#0']);
    expect(found[0]!.columns).toBe(2);
    expect(found[0]!.numbers.map((n) => n.weight)).toEqual([20, 21, 22, 23]);
    expect(found[0]!.numbers[1]!.index).toEqual([1, 2, 0, 1]);
    expect(found[0]!.numbers[1]!.gradient).toBe(-21);
  });

  it('of a dense layer lie as the maps that were flattened', () => {
    const [last] = matrices(part('weight', [2, 8]), 0, layerOf('pool', 'max_pool', [2, 2, 2]));
    expect(last!.label).toBe('#1');
    expect(last!.columns).toBe(2);
    expect(last!.numbers.map((n) => n.index)).toEqual([
      [0, 4],
      [0, 5],
      [0, 6],
      [0, 7]
    ]);
  });

  it('of a vector stand eight in a line, and none is left out', () => {
    const found = matrices(part('weight', [1, 19]), 0, layerOf('dense', 'dense', [19]));
    expect(found.map((m) => m.numbers.length).sort()).toEqual([3, 8, 8]);
  });

  it('of a bias are one number', () => {
    const [only, ...more] = matrices(part('bias', [4]), 3, undefined);
    expect([only!.label, only!.numbers[0]!.index, more.length]).toEqual(['bias', [3], 0]);
  });
});

describe('digits of a matrix', () => {
  it('are about three that count, whatever the size', () => {
    expect([123, 1.5, 0.5, 0.02, 0.00004, 0, NaN].map(decimalsFor)).toEqual([1, 2, 3, 4, 7, 3, 3]);
  });
});
