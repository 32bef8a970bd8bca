/**
 * Which units a unit reads, and how strongly: the curves that are drawn.
 *
 *     convolution   strength of input channel i = sum of the kernel's weights for i, over the largest
 *                   or, for one cell, what each channel adds there
 *     dense         strength of input i         = its weight, over the largest
 *     one to one    norm, activation, pooling, normalise, sum: strength 1, without a sign
 */
import type { TracedLayerMessage } from '../api/types';
import { isUnitwise } from './kinds';

export interface Edge {
  /** name of a layer, or `photo` for one of its channels */
  from: string;
  unit: number;
  /** −1..1; what has no sign of its own is `isSigned: false` */
  strength: number;
  isSigned: boolean;
}

export interface Weights {
  values: Float32Array;
  /** as in PyTorch: [units, channels, rows, columns] or [units, inputs] */
  shape: readonly number[];
}

const sameUnit = new Set(['add', 'multiply']);

/** Layers whose curves need their weights. */
export const isWeighted = (kind: string): boolean => kind === 'conv' || kind === 'dense';

/** The weights of one unit added up for each channel that it reads. */
export function kernelSums({ values, shape }: Weights, unit: number): Float64Array {
  const channels = shape[1] ?? 0;
  const taps = shape.slice(2).reduce((a, b) => a * b, 1);
  return Float64Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    const start = (unit * channels + c) * taps;
    for (let t = 0; t < taps; t++) sum += values[start + t] ?? 0;
    return sum;
  });
}

/** Signed values as strengths, the largest being ±1. */
export function relative(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const largest = Math.max(0, ...list.map((v) => Math.abs(v)));
  return list.map((v) => (largest > 0 ? v / largest : 0));
}

function weighted(
  layer: TracedLayerMessage,
  from: string,
  channels: number,
  unit: number,
  weights?: Weights
): Edge[] {
  if (!weights) {
    return Array.from({ length: channels }, (_, i) => ({
      from,
      unit: i,
      strength: 0.3,
      isSigned: false
    }));
  }
  // grouped convolution: a unit reads only the channels of its own group
  const perGroup = weights.shape[1] ?? channels;
  const groups = Math.max(1, Math.round(channels / perGroup));
  const first = Math.floor((unit * groups) / (layer.shape[0] ?? 1)) * perGroup;
  return relative(kernelSums(weights, unit)).map((strength, i) => ({
    from,
    unit: first + i,
    strength,
    isSigned: true
  }));
}

/** Curves into one unit; none where nobody knows what the layer does. */
export function edgesInto(
  layer: TracedLayerMessage,
  unit: number,
  layers: readonly TracedLayerMessage[],
  weights?: Weights,
  sums?: readonly { channel: number; sum: number }[]
): Edge[] {
  const shapeOf = (name: string) => layers.find((l) => l.name === name)?.shape ?? [3, 0, 0];
  const [from] = layer.inputs;
  if (from === undefined || !layer.known) return [];
  const shape = shapeOf(from);
  if (sums) {
    const strengths = relative(sums.map((s) => s.sum));
    return sums.map(({ channel }, i) => ({
      from,
      unit: channel,
      strength: strengths[i] ?? 0,
      isSigned: true
    }));
  }
  if (isWeighted(layer.kind)) return weighted(layer, from, shape[0] ?? 0, unit, weights);
  if (layer.kind === 'flatten') {
    const cells = (shape[1] ?? 1) * (shape[2] ?? 1);
    return [{ from, unit: Math.floor(unit / cells), strength: 1, isSigned: false }];
  }
  if (layer.kind === 'softmax') {
    return Array.from({ length: shape[0] ?? 0 }, (_, i) => ({
      from,
      unit: i,
      strength: i === unit ? 1 : 0.25,
      isSigned: false
    }));
  }
  if (isUnitwise(layer.kind) || sameUnit.has(layer.kind)) {
    return layer.inputs.map((name) => ({ from: name, unit, strength: 1, isSigned: false }));
  }
  return [];
}

/** The strongest `most` of them, in their order: more cannot be told apart. */
export function strongest(edges: readonly Edge[], most: number): Edge[] {
  if (edges.length <= most) return [...edges];
  const sizes = edges.map((edge) => Math.abs(edge.strength)).sort((a, b) => b - a);
  const least = sizes[most - 1] ?? 0;
  return edges.filter((edge) => Math.abs(edge.strength) >= least).slice(0, most);
}

/** A curve that leaves to the right and arrives from the left. */
export function curve(x1: number, y1: number, x2: number, y2: number): string {
  const bend = Math.max(12, (x2 - x1) * 0.5);
  const r = (v: number) => Math.round(v * 10) / 10;
  return `M${r(x1)} ${r(y1)}C${r(x1 + bend)} ${r(y1)} ${r(x2 - bend)} ${r(y2)} ${r(x2)} ${r(y2)}`;
}
