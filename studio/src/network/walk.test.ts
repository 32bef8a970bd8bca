import { describe, expect, it } from 'vitest';
import { layout } from './layout';
import { demoLayers, layerOf } from './sample';
import { walk } from './walk';

const { columns } = layout(demoLayers(), { width: 1392, smallest: 26, largest: 32 });
const keys = ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End'];

describe('arrow keys', () => {
  it('never leave the drawing, from any unit', () => {
    columns.forEach((column, index) => {
      for (let unit = 0; unit < column.drawn; unit++) {
        for (const key of keys) {
          const spot = walk(columns, { column: index, unit }, key)!;
          expect(spot.unit).toBeGreaterThanOrEqual(0);
          expect(spot.unit).toBeLessThan(columns[spot.column]!.drawn);
        }
      }
    });
  });

  it('walk over the units that are drawn, whatever their numbers', () => {
    const wide = [layerOf('conv1', 'conv', [300, 4, 4]), layerOf('conv2', 'conv', [16, 4, 4])];
    const choose = (_: unknown, most: number) => Array.from({ length: most }, (_, i) => 2 * i + 1);
    const odd = layout(wide, { width: 1392, smallest: 26, largest: 32 }, { choose }).columns;
    const seen = [{ column: 0, unit: 1 }];
    while (seen.length < 128) seen.push(walk(odd, seen.at(-1)!, 'ArrowDown')!);
    expect(seen.map((spot) => spot.unit)).toEqual(odd[0]!.shown);
    expect(walk(odd, seen[0]!, 'ArrowRight')).toEqual(seen[16]);
    expect(walk(odd, { column: 1, unit: 0 }, 'ArrowLeft')).toEqual(seen[112]);
  });

  it('keep the height from layer to layer', () => {
    expect(walk(columns, { column: 1, unit: 5 }, 'ArrowRight')).toEqual({ column: 2, unit: 5 });
    expect(walk(columns, { column: 2, unit: 5 }, 'ArrowLeft')).toEqual({ column: 1, unit: 5 });
  });

  it('reach the probabilities from the photo, and come back', () => {
    let spot = { column: 0, unit: 0 };
    for (let i = 0; i < columns.length + 3; i++) spot = walk(columns, spot, 'ArrowRight')!;
    expect(columns[spot.column]!.form).toBe('bars');
    for (let i = 0; i < columns.length + 3; i++) spot = walk(columns, spot, 'ArrowLeft')!;
    expect(spot.column).toBe(0);
  });

  it('go through the sub-columns of a wide layer', () => {
    const wide = layout(
      [layerOf('a', 'conv', [64, 8, 8]), layerOf('b', 'relu', [64, 8, 8], ['a'])],
      {
        width: 900,
        smallest: 26,
        largest: 32
      }
    ).columns;
    expect(walk(wide, { column: 0, unit: 3 }, 'ArrowRight')).toEqual({ column: 0, unit: 19 });
    expect(walk(wide, { column: 0, unit: 51 }, 'ArrowRight')).toEqual({ column: 1, unit: 3 });
    expect(walk(wide, { column: 1, unit: 3 }, 'ArrowLeft')).toEqual({ column: 0, unit: 51 });
  });

  it('are the only keys', () => {
    expect(walk(columns, { column: 0, unit: 0 }, 'a')).toBeNull();
  });
});
