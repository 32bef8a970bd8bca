import { describe, expect, it } from 'vitest';
import { boxAt, rows, spotAt } from './rows';

describe('tiles in rows of three bands', () => {
  const of = rows(7, 100, 30); // three a row

  it('wrap where the width ends', () => {
    expect(of).toMatchObject({ perRow: 3, pitch: 33, rowPitch: 109, width: 96, height: 317 });
    expect(boxAt(of, 4, 2)).toEqual({ x: 33, y: 109 + 66 });
  });

  it('are found again at every point inside, and at none between', () => {
    for (let index = 0; index < 7; index++) {
      for (let band = 0; band < 3; band++) {
        const { x, y } = boxAt(of, index, band);
        expect(spotAt(of, x, y)).toEqual({ index, band, across: 0, down: 0 });
        expect(spotAt(of, x + 29.9, y + 29.9)).toMatchObject({ index, band });
        expect(spotAt(of, x + 31, y + 5)).toBeNull();
      }
    }
    expect(spotAt(of, 34, 2 * 109 + 5)).toBeNull(); // there is no eighth
  });
});
