import { describe, expect, it } from 'vitest';
import {
  count,
  duration,
  fixed,
  percent,
  scientific,
  signed,
  typeset,
  typesetSigned
} from './number';

describe('numbers are typeset', () => {
  it('with a true minus, and without a minus before nothing', () => {
    expect(fixed(-1.005, 2)).toMatch(/^−1\.0[01]$/);
    expect(fixed(-0.0001, 2)).toBe('0.00');
    expect(signed(0.5, 1)).toBe('+0.5');
    expect(signed(-0.5, 1)).toBe('−0.5');
    expect(typeset('max(0, -2.5) = 0')).toBe('max(0, −2.5) = 0');
  });

  it('and what the server shows as zero has no sign either', () => {
    expect(typeset('-0.0000')).toBe('0.0000');
    expect(typeset('max(0, -0.0) = -0')).toBe('max(0, 0.0) = 0');
    for (const kept of ['-0.0001', '-0.05', '1e-05', '-0e-5', '2 - 0', '-10.0'])
      expect(typeset(kept)).toBe(kept.replaceAll('-', '−'));
    expect(typesetSigned('-0.00')).toBe('+0.00');
    expect(typesetSigned('-0.25')).toBe('−0.25');
    expect(typesetSigned('3.5')).toBe('+3.5');
  });

  it('and what is not a number is shown as such', () => {
    expect(fixed(NaN)).toBe('NaN');
    expect(fixed(-Infinity)).toBe('−∞');
    expect(percent(NaN)).toBe('NaN');
    expect(percent(null)).toBe('–');
  });

  it('shares never read as all or nothing when they are not', () => {
    expect(percent(0.99999)).toBe('>\u200999.9\u00a0%');
    expect(percent(0.00001)).toBe('<\u20090.1\u00a0%');
    expect(percent(1)).toBe('100.0\u00a0%');
    expect(percent(0)).toBe('0.0\u00a0%');
    expect(percent(0.859)).toBe('85.9\u00a0%');
  });

  it('sizes of differences keep their exponent', () => {
    expect(scientific(2.4e-7)).toBe('2.4e−7');
    expect(scientific(-3e5)).toBe('−3.0e5');
    expect(scientific(0)).toBe('0');
  });

  it('counts and times', () => {
    expect(count(1234567)).toBe('1,234,567');
    expect(duration(7.25)).toMatch(/^7\.[23] s$/);
    expect(duration(75)).toBe('1 min 15 s');
    expect(duration(3700)).toBe('1 h 1 min');
  });
});
