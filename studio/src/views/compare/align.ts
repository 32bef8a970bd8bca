/** The second network's numbers in the first one's order; a difference is the second minus the first. */
import type { Tensor } from '../../api/ask';
import type { LayerMatchMessage } from '../../api/types';
import { extentOf, type Cells } from '../../scale/raster';
import type { Cell } from '../../state/place';
import { carry, mapSize, type Scene } from '../look/scene';

export const bands = ['first', 'second', 'difference'] as const;
export type Band = (typeof bands)[number];

/** Units of one layer, one behind the other; NaN where the second has no partner. */
export interface Aligned {
  units: number;
  first: Float32Array;
  second: Float32Array;
  /** null: the maps of the two differ in size */
  difference: Float32Array | null;
  /** rows and columns of the first's maps, and of the second's */
  size: readonly [number, number];
  otherSize: readonly [number, number];
}

/** Both sides' numbers of one pair of layers; null where a side lacks the layer. */
export function alignMaps(match: LayerMatchMessage, first: Scene, second: Scene): Aligned | null {
  const [one, other] = [first.layer(match.first), second.layer(match.second)];
  if (!one || !other) return null;
  const [size, otherSize] = [mapSize(one), mapSize(other)];
  const cells = otherSize[0] * otherSize[1];
  const all = second.all(other);
  const moved = new Float32Array(match.units.length * cells).fill(NaN);
  match.units.forEach((unit, at) => {
    if (unit !== null) moved.set(all.subarray(unit * cells, (unit + 1) * cells), at * cells);
  });
  const own = first.all(one);
  return {
    units: match.units.length,
    first: own,
    second: moved,
    difference: match.has_equal_maps ? own.map((v, i) => moved[i]! - v) : null,
    size,
    otherSize
  };
}

/** The weights of one unit: a tile for each channel that it reads. */
export interface Kernels {
  tiles: number;
  rows: number;
  columns: number;
  first: Float32Array;
  second: Float32Array;
  difference: Float32Array;
  /** for each tile the channel that the second's kernel reads there */
  partners: readonly (number | null)[];
}

/**
 * `tile`: rows and columns of a tile. Of a convolution, those of its kernel; of a dense layer, those
 * of the maps that were flattened, or one row of all its inputs.
 */
export function alignKernels(
  match: LayerMatchMessage,
  unit: number,
  first: Tensor,
  second: Tensor,
  tile: readonly [number, number]
): Kernels | null {
  const partner = match.units[unit];
  if (partner === null || partner === undefined || match.why_no_kernels !== null) return null;
  const inputs = first.shape[1]!;
  const inside = first.shape.slice(2).reduce((a, b) => a * b, 1);
  const [own, others] = [inputs * inside, second.shape[1]! * inside];
  const one = first.values.slice(unit * own, (unit + 1) * own);
  const read = match.channels ?? Array.from({ length: inputs }, (_, i) => i);
  const other = new Float32Array(own).fill(NaN);
  read.forEach((channel, at) => {
    if (channel === null) return;
    const from = partner * others + channel * inside;
    other.set(second.values.subarray(from, from + inside), at * inside);
  });
  const [rows, columns] = tile;
  const tiles = own / (rows * columns);
  const each = inputs / tiles; // inputs in one tile
  const partners = Array.from({ length: tiles }, (_, t) => {
    const channel = read[t * each] ?? null;
    return channel === null ? null : Math.floor(channel / each);
  });
  const difference = one.map((v, i) => other[i]! - v);
  return { tiles, rows, columns, first: one, second: other, difference, partners };
}

/** Where the colours are full: of both sides, and of their difference; one number where shared. */
export interface Extents {
  sides: number;
  difference: number;
}

export function extents(
  of: { first: Float32Array; second: Float32Array; difference: Float32Array | null },
  isShared: boolean,
  part: (band: Band, values: Float32Array) => Float32Array = (_, values) => values
): Extents {
  const size = (band: Band) => {
    const values = of[band];
    return values ? extentOf(part(band, values)) : 0;
  };
  const sides = Math.max(size('first'), size('second'));
  const difference = size('difference');
  const both = Math.max(sides, difference);
  return isShared ? { sides: both, difference: both } : { sides, difference };
}

/** Rows and columns of a band's maps. */
export const sizeOf = ({ size, otherSize }: Aligned, band: Band): readonly [number, number] =>
  band === 'second' ? otherSize : size;

/** One unit's map of one band; null where there is nothing to draw. */
export function mapOf(aligned: Aligned, band: Band, unit: number): Cells | null {
  const values = aligned[band];
  if (!values) return null;
  const [height, width] = sizeOf(aligned, band);
  const offset = unit * height * width;
  return Number.isNaN(values[offset]) && band !== 'first'
    ? null
    : { values, offset, width, height };
}

/** The numbers of all bands at one cell of the first's map; null where a band has no map. */
export function valuesAt(aligned: Aligned, unit: number, cell: Cell): (number | null)[] {
  return bands.map((band) => {
    const map = mapOf(aligned, band, unit);
    if (!map) return null;
    const { row, column } = carry(cell, aligned.size, [map.height, map.width]);
    return map.values[map.offset + row * map.width + column] ?? NaN;
  });
}

/** The largest |difference| of a unit; null where it has none. */
export function largest({ difference, size }: Aligned, unit: number): number | null {
  if (!difference) return null;
  const cells = size[0] * size[1];
  const own = difference.subarray(unit * cells, (unit + 1) * cells);
  return own.some((v) => !Number.isNaN(v)) ? extentOf(own) : null;
}
