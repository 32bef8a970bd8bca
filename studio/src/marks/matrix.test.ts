import { describe, expect, it } from 'vitest';
import { cellSide, ink, mostNumbered, shares, shortShare, walk, worstCell } from './matrix';

const confusion = [
  [8, 2, 0],
  [1, 6, 3],
  [0, 0, 0]
];

describe('the shares of a matrix', () => {
  it('add up to one in every row that has photos', () => {
    const sums = shares(confusion).map((row) => row.reduce((sum, share) => sum + share, 0));
    expect(sums[0]).toBeCloseTo(1);
    expect(sums[1]).toBeCloseTo(1);
    expect(sums[2]).toBe(0);
  });

  it.each([true, false])('get more ink the larger they are (right: %s)', (isRight) => {
    const inks = [0, 0.001, 0.01, 0.1, 0.3, 1].map((share) => ink(share, isRight));
    expect(inks[0]).toBe(0);
    expect(inks.every((one, i) => i === 0 || one > inks[i - 1]!)).toBe(true);
    expect(Math.max(...inks)).toBeLessThanOrEqual(0.95);
  });

  it.each([
    [0, '0'],
    [0.0004, '<0.1'],
    [0.009, '0.9'],
    [0.0096, '1'],
    [0.84, '84'],
    [1, '100']
  ])('%f reads %s', (share, text) => {
    expect(shortShare(share)).toBe(text);
  });
});

describe('the cells', () => {
  it('fill the width within their limits', () => {
    expect(cellSide(6, 330)).toBe(55);
    expect(cellSide(2, 900)).toBe(60);
    expect(cellSide(mostNumbered, 300)).toBe(34);
    expect(cellSide(1000, 900)).toBe(3);
    expect(100 * cellSide(100, 540)).toBeCloseTo(540);
  });

  it('are walked with the keys and never left', () => {
    const corner = { row: 0, column: 0 };
    expect(walk(corner, 'ArrowUp', 3)).toEqual(corner);
    expect(walk(corner, 'ArrowRight', 3)).toEqual({ row: 0, column: 1 });
    expect(walk(corner, 'PageDown', 3)).toEqual({ row: 2, column: 0 });
    expect(walk({ row: 1, column: 1 }, 'End', 3)).toEqual({ row: 1, column: 2 });
    expect(walk(corner, 'x', 3)).toBeNull();
  });

  it('name the worst mistake, none where there is none', () => {
    expect(worstCell(confusion)).toEqual({ row: 1, column: 2 });
    expect(
      worstCell([
        [5, 0],
        [0, 5]
      ])
    ).toBeNull();
  });
});
