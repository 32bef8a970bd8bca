/** Tiles in rows that wrap; each row is three bands high: first, second, difference. */
import { bands } from './align';

export interface Rows {
  count: number;
  /** CSS pixels: a tile's sides, and from one to the next */
  tile: number;
  pitch: number;
  perRow: number;
  /** from one row of three bands to the next */
  rowPitch: number;
  width: number;
  height: number;
}

export interface Spot {
  index: number;
  band: number;
  /** 0..1 inside the tile */
  across: number;
  down: number;
}

/** `below`: room under the bands of each row. */
export function rows(count: number, width: number, tile: number, gap = 3, below = 10): Rows {
  const pitch = tile + gap;
  const perRow = Math.max(1, Math.min(count, Math.floor((width + gap) / pitch)));
  const rowPitch = bands.length * pitch + below;
  const lines = Math.ceil(count / perRow);
  return {
    count,
    tile,
    pitch,
    perRow,
    rowPitch,
    width: perRow * pitch - gap,
    height: lines * rowPitch - below
  };
}

export function boxAt(of: Rows, index: number, band: number): { x: number; y: number } {
  const line = Math.floor(index / of.perRow);
  return { x: (index % of.perRow) * of.pitch, y: line * of.rowPitch + band * of.pitch };
}

/** What lies under a point; null between the tiles. */
export function spotAt(of: Rows, x: number, y: number): Spot | null {
  const [line, column] = [Math.floor(y / of.rowPitch), Math.floor(x / of.pitch)];
  const index = line * of.perRow + column;
  const [left, top] = [x - column * of.pitch, y - line * of.rowPitch];
  const band = Math.floor(top / of.pitch);
  const [across, down] = [left / of.tile, (top - band * of.pitch) / of.tile];
  const isInside = x >= 0 && y >= 0 && column < of.perRow && index < of.count && band < 3;
  return isInside && across < 1 && down < 1 ? { index, band, across, down } : null;
}
