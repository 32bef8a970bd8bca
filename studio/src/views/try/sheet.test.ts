import { describe, expect, it } from 'vitest';
import { boxOf, differs, fitting, gaps, side, sizeOf } from './sheet';

describe('the maps of a layer', () => {
  it('stand as many beside each other as fit, and one where none does', () => {
    for (let width = 0; width < 400; width++) {
      const columns = fitting(width);
      const needed = columns * side + (columns - 1) * gaps.across;
      if (columns > 1) expect(needed).toBeLessThan(width);
      expect(needed + gaps.across + side).toBeGreaterThanOrEqual(width);
    }
  });

  it('lie apart from each other, within a sheet that is as large as they need', () => {
    for (const [units, columns, maps] of [
      [1, 5],
      [5, 5],
      [6, 5],
      [64, 7]
    ].flatMap(([units, columns]) => [1, 2].map((maps) => [units!, columns!, maps] as const))) {
      const boxes = Array.from({ length: units * maps }, (_, i) =>
        boxOf(Math.floor(i / maps), columns, maps, i % maps)
      );
      const { width, height } = sizeOf(units, columns, maps);
      expect(Math.max(...boxes.map((box) => box.x + box.width))).toBe(width);
      expect(Math.max(...boxes.map((box) => box.y + box.height))).toBe(height);
      for (const a of boxes)
        for (const b of boxes)
          expect(a === b || Math.abs(a.x - b.x) > side || Math.abs(a.y - b.y) > side).toBe(true);
    }
  });
});

describe('numbers that were drawn', () => {
  it('are others where a bit is, between the places that are asked for', () => {
    const [a, b] = [Float32Array.of(1, 2, NaN, 4), Float32Array.of(0, 2, NaN, 4)];
    expect(differs(a, b, 0, 4)).toBe(true);
    expect(differs(a, b, 1, 4)).toBe(false);
    expect(differs(Float32Array.of(0), Float32Array.of(-0), 0, 1)).toBe(true);
    expect(differs(Float32Array.of(NaN), Float32Array.of(0), 0, 1)).toBe(true);
  });
});
