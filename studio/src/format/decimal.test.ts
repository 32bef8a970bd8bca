import { describe, expect, it } from 'vitest';
import { addsUp, sum } from './decimal';

describe('shown decimals', () => {
  it('are added as with a pencil, where floats would drift', () => {
    expect(sum(['0.1', '0.2'])).toBe('0.3');
    expect(sum(['-1.0736', '0.8089', '0.7890', '-0.5243'])).toBe('0.0000');
    expect(sum(['−0.25', '+0.5', '3'])).toBe('3.25');
    expect(sum([])).toBe('0');
    expect(sum(['-0.05'])).toBe('-0.05');
  });

  it('agree with whole numbers, for 2,000 random sums', () => {
    let state = 7; // a small linear generator: the same numbers every time
    const next = () => (state = (state * 48271) % 2147483647);
    for (let i = 0; i < 2000; i++) {
      const digits = next() % 6;
      const units = Array.from({ length: 1 + (next() % 30) }, () => (next() % 2000001) - 1000000);
      const shown = units.map((u) => (u / 10 ** digits).toFixed(digits));
      const total = (units.reduce((a, b) => a + b, 0) / 10 ** digits).toFixed(digits);
      expect(Number(sum(shown))).toBe(Number(total));
      expect(addsUp(shown, total)).toBe(true);
      expect(addsUp([...shown, (1 / 10 ** digits).toFixed(digits)], total)).toBe(false);
    }
  });

  it('with an exponent or NaN are refused, not guessed', () => {
    expect(sum(['1e-7', '2'])).toBeNull();
    expect(sum(['NaN'])).toBeNull();
    expect(addsUp(['NaN'], 'NaN')).toBe(false);
  });

  it('may carry different numbers of digits', () => {
    expect(addsUp(['0.50', '0.5'], '1')).toBe(true);
    expect(addsUp(['0.50', '0.5'], '1.01')).toBe(false);
  });
});
