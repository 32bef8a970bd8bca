/**
 * A map drawn into a box of device pixels.
 *
 * Where a cell covers at least one pixel it is drawn as a block with whole-pixel edges; where several
 * cells share a pixel, the pixel is the mean of the values that it covers. Never smoothed otherwise.
 */
import { tableIndex } from './colour';

/** Cells of one map, row-major, beginning at `offset` of `values`. */
export interface Cells {
  values: Float32Array;
  offset: number;
  width: number;
  height: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Paints a map into `target`, an image `targetWidth` pixels wide, with the colours of `colours`. */
export function paint(
  map: Cells,
  extent: number,
  colours: Uint32Array,
  target: Uint32Array,
  targetWidth: number,
  box: Box
): void {
  const fits = map.width <= box.width && map.height <= box.height;
  (fits ? blocks : means)(map, extent, colours, target, targetWidth, box);
}

/** Every cell's colour is looked up once; rows of pixels that repeat are copied. */
const blocks: typeof paint = (map, extent, colours, target, targetWidth, box) => {
  const cellOf = covered(map.width, box.width).first;
  const line = new Uint32Array(map.width);
  let drawn = -1;
  for (let y = 0; y < box.height; y++) {
    const start = (box.y + y) * targetWidth + box.x;
    const row = Math.floor((y * map.height) / box.height);
    if (row === drawn) {
      target.copyWithin(start, start - targetWidth, start - targetWidth + box.width);
      continue;
    }
    drawn = row;
    const first = map.offset + row * map.width;
    for (let c = 0; c < map.width; c++) {
      line[c] = colours[tableIndex(map.values[first + c] ?? NaN, extent)]!;
    }
    for (let x = 0; x < box.width; x++) target[start + x] = line[cellOf[x]!]!;
  }
};

/** The cells under each of `pixels` pixels along one axis: the first and the last. */
function covered(cells: number, pixels: number): { first: Int32Array; last: Int32Array } {
  const first = new Int32Array(pixels);
  const last = new Int32Array(pixels);
  for (let p = 0; p < pixels; p++) {
    first[p] = Math.floor((p * cells) / pixels);
    last[p] = Math.max(first[p]!, Math.ceil(((p + 1) * cells) / pixels) - 1);
    if (cells <= pixels) last[p] = first[p]!; // blocks, not blends
  }
  return { first, last };
}

/** Each pixel is the mean of the cells that it covers. */
const means: typeof paint = (map, extent, colours, target, targetWidth, box) => {
  const across = covered(map.width, box.width);
  const down = covered(map.height, box.height);
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < box.width; x++) {
      let sum = 0;
      let count = 0;
      for (let r = down.first[y]!; r <= down.last[y]!; r++) {
        const row = map.offset + r * map.width;
        for (let c = across.first[x]!; c <= across.last[x]!; c++) {
          sum += map.values[row + c] ?? NaN;
          count++;
        }
      }
      target[(box.y + y) * targetWidth + box.x + x] = colours[tableIndex(sum / count, extent)]!;
    }
  }
};

/** The largest |value|, not counting what is not finite; what a scale is symmetric to. */
export function extentOf(values: Float32Array, from = 0, to = values.length): number {
  let extent = 0;
  for (let i = from; i < to; i++) {
    const size = Math.abs(values[i]!);
    if (size > extent && Number.isFinite(size)) extent = size;
  }
  return extent;
}
