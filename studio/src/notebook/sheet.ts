/** What a notebook's page is given: names, sizes, scales, and the numbers of the layers it shows. */
import type { Pixels } from '../api/ask';
import type { Cells } from '../scale/raster';

export interface SheetLayer {
  name: string;
  kind: string;
  text: string;
  known: boolean;
  inputs: string[];
  shape: number[];
  /** the units that are shown; none of a vector */
  units: number[];
  /** the largest |value| of all units */
  extent: number;
  receptive_field_px: number | null;
  /** where its numbers begin */
  first: number;
}

export interface Sheet {
  photo: { height: number; width: number };
  layers: SheetLayer[];
  num_left_out: number;
  classes: string[];
  /** null: not a number */
  probabilities: (number | null)[];
  softmax: { name: string; inputs: string[] };
}

/** A buffer of a message: its bytes in memory of our own, aligned whatever they were before. */
export const bytes = (view: DataView): ArrayBuffer =>
  view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;

/** RGB as it came to RGBA. */
export function pixels({ photo }: Sheet, buffer: ArrayBuffer): Pixels {
  const from = new Uint8Array(buffer);
  const data = new Uint8ClampedArray(4 * photo.width * photo.height).fill(255);
  for (let i = 0; i < photo.width * photo.height; i++)
    data.set(from.subarray(3 * i, 3 * i + 3), 4 * i);
  return { ...photo, data };
}

export const isVector = (layer: SheetLayer): boolean => layer.shape.length === 1;
export const numUnits = (layer: SheetLayer): number => layer.shape[0] ?? 0;

/** Numbers of a vector beside each other, in rows below each other: short ones in a single column. */
export const across = (layer: SheetLayer): number =>
  numUnits(layer) <= 16 ? 1 : Math.max(16, Math.ceil(Math.sqrt(numUnits(layer))));

/** The map of a unit that is shown, or a vector in rows; null for a unit that was not sent. */
export function cellsOf(layer: SheetLayer, unit: number, numbers: Float32Array): Cells | null {
  if (isVector(layer)) {
    const width = across(layer);
    const height = Math.ceil(numUnits(layer) / width);
    const values = new Float32Array(width * height); // paper after the last number
    values.set(numbers.subarray(layer.first, layer.first + numUnits(layer)));
    return { values, offset: 0, width, height };
  }
  const place = layer.units.indexOf(unit);
  const [, height = 1, width = 1] = layer.shape;
  if (place < 0) return null;
  return { values: numbers, offset: layer.first + place * height * width, width, height };
}

/** Where the number of largest size stands; the first cell where none is a number. */
export function peak(map: Cells): { row: number; column: number } {
  let best = 0;
  for (let i = 1; i < map.width * map.height; i++) {
    const size = Math.abs(map.values[map.offset + i]!);
    if (size > (Math.abs(map.values[map.offset + best]!) || -1)) best = i;
  }
  return { row: Math.floor(best / map.width), column: best % map.width };
}

/** The shown unit of the largest number. */
export function strongest(layer: SheetLayer, numbers: Float32Array): number {
  let unit = layer.units[0] ?? 0;
  let most = -1;
  for (const other of layer.units) {
    const map = cellsOf(layer, other, numbers)!;
    const { row, column } = peak(map);
    const size = Math.abs(map.values[map.offset + row * map.width + column]!);
    if (size > most) [unit, most] = [other, size];
  }
  return unit;
}
