import { describe, expect, it } from 'vitest';
import { table, tableIndex, type Palette } from './colour';
import { extentOf, paint } from './raster';

const palette: Palette = {
  plus: [200, 100, 0],
  minus: [0, 100, 200],
  zero: [250, 250, 250],
  digitDark: [0, 0, 0],
  digitLight: [255, 255, 255],
  broken: [255, 0, 255]
};
const colours = table(palette);
const colour = (value: number, extent: number) => colours[tableIndex(value, extent)];

function painted(values: number[], width: number, height: number, w: number, h: number) {
  const target = new Uint32Array(w * h);
  const map = { values: Float32Array.from(values), offset: 0, width, height };
  paint(map, 4, colours, target, w, { x: 0, y: 0, width: w, height: h });
  return [...target];
}

describe('a map', () => {
  it('keeps every cell as a block when there is room', () => {
    const wanted = [1, 1, -2, -2, 1, 1, -2, -2, 3, 3, 4, 4, 3, 3, 4, 4].map((v) => colour(v, 4));
    expect(painted([1, -2, 3, 4], 2, 2, 4, 4)).toEqual(wanted);
  });

  it('gives each pixel to the cell under its corner when blocks cannot be equal', () => {
    const values = [1, -2, 3, -4, 4, -1];
    const [w, h] = [7, 5];
    const wanted = Array.from({ length: w * h }, (_, i) => {
      const [x, y] = [i % w, Math.floor(i / w)];
      return colour(values[3 * Math.floor((y * 2) / h) + Math.floor((x * 3) / w)]!, 4);
    });
    expect(painted(values, 3, 2, w, h)).toEqual(wanted);
  });

  it('shows means where cells share a pixel, so that nothing is left out', () => {
    expect(painted([4, 0, 0, 0], 2, 2, 1, 1)).toEqual([colour(1, 4)]);
    expect(painted([4, -4, 2, 2], 4, 1, 2, 1)).toEqual([colour(0, 4), colour(2, 4)]);
  });

  it('is drawn only inside its box', () => {
    const target = new Uint32Array(9);
    const map = { values: Float32Array.from([9, 2]), offset: 1, width: 1, height: 1 };
    paint(map, 4, colours, target, 3, { x: 1, y: 1, width: 1, height: 1 });
    expect([...target]).toEqual([0, 0, 0, 0, colour(2, 4), 0, 0, 0, 0]);
  });

  it('shows one broken cell even among many', () => {
    expect(painted([NaN, 0, 0, 0], 2, 2, 1, 1)).toEqual([colour(NaN, 4)]);
  });
});

describe('the extent', () => {
  it('is the largest size, of a part if asked, and never NaN or infinite', () => {
    const values = Float32Array.from([1, -7, NaN, 3, -Infinity]);
    expect(extentOf(values)).toBe(7);
    expect(extentOf(values, 2, 4)).toBe(3);
    expect(extentOf(values, 2, 3)).toBe(0);
  });
});
