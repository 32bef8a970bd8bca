import { describe, expect, it } from 'vitest';
import { addsUp, sum } from '../../format/decimal';
import { addingUp, decimalsFor, shownAlone } from './adding';

function* numbers() {
  let state = 11; // a small linear generator: the same numbers every time
  for (;;) yield ((state = (state * 48271) % 2147483647) / 2147483647 - 0.5) * 4;
}

describe('shown products', () => {
  it('add up as they stand, each within one unit of its value, in 1,000 random sums', () => {
    const source = numbers();
    const next = () => source.next().value as number;
    for (let i = 0; i < 1000; i++) {
      const values = Array.from({ length: 1 + (i % 49) }, next);
      const decimals = 4 + (i % 3);
      const { parts, sum: total } = addingUp(values, decimals);
      expect(addsUp(parts, total)).toBe(true);
      parts.forEach((part, j) =>
        expect(Math.abs(Number(part) - values[j]!)).toBeLessThan(10 ** -decimals + 1e-12)
      );
      const true_sum = values.reduce((all, one) => all + one, 0);
      expect(Math.abs(Number(total) - true_sum)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);
    }
  });

  it('would not add up if each were rounded alone', () => {
    const thirds = [1 / 3, 1 / 3, 1 / 3];
    expect(sum(thirds.map((one) => shownAlone(one, 4)))).toBe('0.9999');
    expect(addingUp(thirds, 4)).toEqual({ parts: ['0.3334', '0.3333', '0.3333'], sum: '1.0000' });
  });

  it('round as Python does, ties to even, by the exact value of the float', () => {
    // as Python writes them (a zero without its sign): [f"{v:.2f}" for v in (0.125, 0.375, -0.125, 2.675, 1e-9, -1e-9, 0.0, 1e20)]
    const python = [
      '0.12',
      '0.38',
      '-0.12',
      '2.67',
      '0.00',
      '0.00',
      '0.00',
      '100000000000000000000.00'
    ];
    const values = [0.125, 0.375, -0.125, 2.675, 1e-9, -1e-9, -0, 1e20];
    expect(values.map((value) => shownAlone(value, 2))).toEqual(python);
  });

  it('keep numbers that need no rounding as they are', () => {
    expect(addingUp([1, -2, 0.25], 4)).toEqual({
      parts: ['1.0000', '-2.0000', '0.2500'],
      sum: '-0.7500'
    });
    expect(addingUp([], 4)).toEqual({ parts: [], sum: '0.0000' });
  });

  it('have four digits that say something', () => {
    expect(decimalsFor([0.5, -3])).toBe(4);
    expect(decimalsFor([0.00123])).toBe(6);
    expect(decimalsFor([0, 0])).toBe(4);
  });
});
