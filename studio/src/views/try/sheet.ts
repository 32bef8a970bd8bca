/** Where the maps of a layer's units stand, row by row, in CSS pixels. Pure. */
import type { Box } from '../../scale/raster';

export const side = 38; // of a map
export const gaps = { across: 5, down: 9, pair: 2 };

/** How many stand beside each other; a width in whole pixels may have been rounded up. */
export const fitting = (width: number): number =>
  Math.max(1, Math.floor((width - 1 + gaps.across) / (side + gaps.across)));

/** Of one unit: so many maps, one above the other. */
export const heightOf = (maps: number): number => maps * (side + gaps.pair) - gaps.pair;

/** `at`: which of a unit's maps, the uppermost being 0. */
export const boxOf = (unit: number, columns: number, maps = 1, at = 0): Box => ({
  x: (unit % columns) * (side + gaps.across),
  y: Math.floor(unit / columns) * (heightOf(maps) + gaps.down) + at * (side + gaps.pair),
  width: side,
  height: side
});

export function sizeOf(
  units: number,
  columns: number,
  maps = 1
): { width: number; height: number } {
  const [across, down] = [Math.min(units, columns), Math.ceil(units / columns)];
  return {
    width: across * (side + gaps.across) - gaps.across,
    height: down * (heightOf(maps) + gaps.down) - gaps.down
  };
}

/** Whether two arrays differ between these places, bit by bit: one NaN is like another. */
export function differs(a: Float32Array, b: Float32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!Object.is(a[i], b[i])) return true;
  return false;
}
