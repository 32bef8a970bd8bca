import { describe, expect, it } from 'vitest';
import { addsUp } from '../../format/decimal';
import { apart, between, decimalsOf } from './digits';

const ascii = (text: string) => text.replaceAll('−', '-').replace('+', '');

describe('two numbers and their difference', () => {
  const pairs: [number, number][] = [
    [0.12344, 0.23456], // rounded alone the difference would be 0.1111
    [-0.00005, 0.00005],
    [3.2e-9, -4.71e-9],
    [812.25, -1.5],
    [0, 0],
    [-0.49996, 0.50004]
  ];

  it('are shown in digits that add up, however small they are', () => {
    for (const [first, second] of pairs) {
      const shown = apart(first, second);
      expect(addsUp([shown.first, shown.difference].map(ascii), ascii(shown.second))).toBe(true);
      const unit = 10 ** -decimalsOf(first, second);
      expect(Math.abs(Number(ascii(shown.first)) - first)).toBeLessThanOrEqual(0.5001 * unit);
      expect(Math.abs(Number(ascii(shown.difference)) - (second - first))).toBeLessThan(
        1.001 * unit
      );
    }
  });

  it('show four digits that count, and more than four behind the point only where they need them', () => {
    expect(apart(3.2e-9, -4.71e-9)).toEqual({
      first: '0.000000003200',
      second: '−0.000000004710',
      difference: '−0.000000007910'
    });
    expect(apart(812.25, -1.5).difference).toBe('−813.7500');
    expect(apart(0, 0)).toEqual({ first: '0.0000', second: '0.0000', difference: '0.0000' });
  });

  it('have none where one is no number', () => {
    expect(apart(NaN, 1)).toEqual({ first: 'NaN', second: '1.0000', difference: 'NaN' });
    expect(between('e', '1')).toBeNull();
  });

  it('are subtracted as they stand', () => {
    expect(between('0.0713', '0.8185')).toBe('+0.7472');
    expect(between('-0.0713', '-0.0713')).toBe('0.0000');
  });
});
