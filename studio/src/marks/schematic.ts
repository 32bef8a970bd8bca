/**
 * A network as columns of small tiles, from the photo to the probabilities: one tile a unit, as
 * large as its map is beside the photo; a dot where a unit is one number. Layers that change each
 * cell on its own (normalisation, activation, flattening) are folded into the column they follow.
 */
import type { LayerSize } from '../api/types';

export interface Column {
  /** the layer that the column is named after */
  readonly name: string;
  readonly kind: string;
  readonly shape: readonly number[];
  readonly parameters: number;
  /** all layers of this column, in order */
  readonly layers: readonly string[];
  readonly units: number;
  /** how many units are drawn; the others are counted in words */
  readonly drawn: number;
  /** side of a tile or diameter of a dot, px */
  readonly tile: number;
  readonly isRound: boolean;
  /** left edge and centre line, px */
  readonly x: number;
  /** upper edges of the drawn units, px */
  readonly ys: readonly number[];
}

export interface Plan {
  readonly columns: readonly Column[];
  readonly width: number;
  readonly height: number;
}

const folded = new Set([
  'norm',
  'activation',
  'relu',
  'leaky_relu',
  'gelu',
  'silu',
  'tanh',
  'sigmoid',
  'dropout',
  'flatten'
]);

/** Layers whose every unit reads only the unit of the same number below. */
const separate = new Set(['max_pool', 'avg_pool']);

export const most = 16;
const largest = 9;
const smallest = 3;

/** The columns of a network, spread over `width` px where they fit and wider where they do not. */
export function plan(layers: readonly LayerSize[], width: number, height: number): Plan {
  const groups: LayerSize[][] = [];
  for (const layer of layers) {
    const open = groups.at(-1);
    if (open && folded.has(layer.kind)) open.push(layer);
    else groups.push([layer]);
  }
  const side = groups[0]?.[0]?.shape[1] ?? 1;
  const room = Math.max(58, Math.floor(width / Math.max(1, groups.length)));
  const columns = groups.map((group, i) => column(group, side, i * room, height));
  return { columns, width: groups.length * room, height };
}

function column(group: readonly LayerSize[], side: number, x: number, height: number): Column {
  const [first] = group as [LayerSize];
  const units = first.shape[0] ?? 0;
  const drawn = Math.min(units, most);
  const pitch = Math.min(
    height / most,
    height / Math.max(1, drawn),
    first.kind === 'normalise' ? 16 : 12
  );
  const isRound = first.shape.length === 1;
  const scale = Math.sqrt((first.shape[1] ?? 1) / side);
  const tile = isRound ? 5 : Math.max(smallest, Math.min(largest, pitch - 1) * scale);
  const top = (height - drawn * pitch) / 2;
  return {
    name: first.name,
    kind: first.kind,
    shape: first.shape,
    parameters: group.reduce((sum, layer) => sum + layer.parameters, 0),
    layers: group.map((layer) => layer.name),
    units,
    drawn,
    tile,
    isRound,
    x,
    ys: Array.from({ length: drawn }, (_, i) => top + i * pitch + (pitch - tile) / 2)
  };
}

/** The lines from one column to the next as one path: pooling keeps to its unit, others read all. */
export function lines(from: Column, to: Column): string {
  const start = from.x + from.tile + 2;
  const stop = to.x - 2;
  const bend = (start + stop) / 2;
  const middle = (column: Column, i: number) => (column.ys[i]! + column.tile / 2).toFixed(1);
  let text = '';
  for (let j = 0; j < to.drawn; j += 1) {
    for (let i = 0; i < from.drawn; i += 1) {
      if (separate.has(to.kind) && i !== j) continue;
      const [a, b] = [middle(from, i), middle(to, j)];
      text += `M${start.toFixed(1)} ${a}C${bend.toFixed(1)} ${a} ${bend.toFixed(1)} ${b} ${stop.toFixed(1)} ${b}`;
    }
  }
  return text;
}

/** The shape in words: 16 × 32 × 32, or 6 numbers. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `${shape[0]} numbers` : shape.join(' × ');
}
