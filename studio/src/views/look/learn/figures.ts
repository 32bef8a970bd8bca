/**
 * The digits of the way back and of a step, as they are displayed. Nothing is computed here that the
 * server computes: numbers are looked up, ordered, and written so that what is shown holds as shown.
 */
import type { EquationMessage, ParameterChange, Reader, TermMessage } from '../../../api/types';
import { sum } from '../../../format/decimal';
import { extentOf, type Cells } from '../../../scale/raster';

export const modes = ['Forwards', 'Backwards', 'One step'] as const;
export type Mode = (typeof modes)[number];

const inAddress: Record<Mode, string | undefined> = {
  Forwards: undefined,
  Backwards: 'backwards',
  'One step': 'step'
};

type Query = Readonly<Record<string, string>>;

export const modeOf = (query: Query): Mode =>
  modes.find((mode) => inAddress[mode] === query['mode']) ?? 'Forwards';

/** A query with some of its values changed; those that are undefined are taken out. */
export function changed(query: Query, to: Record<string, string | undefined>): Query {
  const all = Object.entries({ ...query, ...to });
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

export const queryOf = (mode: Mode): Record<string, string | undefined> => ({
  mode: inAddress[mode]
});

/** The probability of the true class with as few digits as give the shown loss again. */
export function lossFormula(probability: number, loss: number): { p: string; loss: string } {
  const shown = loss.toFixed(4);
  for (let digits = 4; digits <= 15; digits++) {
    const p = probability >= 1e-4 ? probability.toFixed(digits) : probability.toPrecision(digits);
    if (plain(-Math.log(Number(p)), 4) === plain(loss, 4)) return { p, loss: plain(loss, 4) };
  }
  return { p: String(probability), loss: shown };
}

const plain = (value: number, decimals: number): string => {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text;
};

/** One class or label at the end of the network: p, 1 or 0, and p minus that, exact in the shown digits. */
export interface AtLogit {
  p: string;
  wanted: '0' | '1';
  gradient: string;
}

/** `truths` are those that are there: one class, or any number of labels. */
export function atLogits(probabilities: readonly number[], ...truths: number[]): AtLogit[] {
  return probabilities.map((probability, i) => {
    const p = plain(probability, 4);
    const wanted = truths.includes(i) ? '1' : '0';
    return { p, wanted, gradient: sum([p, wanted === '1' ? '-1' : '0']) ?? p };
  });
}

/** The layer and unit that a term's channel stands for. */
export function readerOf(
  readers: readonly Reader[],
  channel: number
): { layer: string; unit: number } | null {
  const reader = readers.find((r) => channel >= r.first && channel < r.first + r.units);
  return reader ? { layer: reader.layer, unit: channel - reader.first } : null;
}

/** What a weight met, the gradients there and their products, each as one small map. */
export interface Grids {
  input: Cells;
  weight: Cells;
  product: Cells;
}

/** null where the terms are no grid of one channel. */
export function grids(terms: readonly TermMessage[]): Grids | null {
  const rows = [...new Set(terms.map((term) => term.row))].sort((a, b) => a - b);
  const columns = [...new Set(terms.map((term) => term.column))].sort((a, b) => a - b);
  const [height, width] = [rows.length, columns.length];
  if (height * width !== terms.length || terms.length < 2) return null;
  const row = new Map(rows.map((r, i) => [r, i]));
  const column = new Map(columns.map((c, i) => [c, i]));
  const of = (what: 'input' | 'weight' | 'product'): Cells => {
    const values = new Float32Array(terms.length).fill(NaN);
    for (const term of terms)
      values[row.get(term.row)! * width + column.get(term.column)!] = term[what];
    return { values, offset: 0, width, height };
  };
  return { input: of('input'), weight: of('weight'), product: of('product') };
}

export const extentOfCells = ({ values, offset, width, height }: Cells): number =>
  extentOf(values, offset, offset + width * height);

/** Learned parameters by how much a step changes them, relative to their size; most first. */
export function byChange(
  parameters: readonly ParameterChange[]
): { name: string; share: number; change: number }[] {
  return parameters
    .map(({ name, change_norm: change, weight_norm }) => ({
      name,
      change,
      share: weight_norm > 0 ? change / weight_norm : change > 0 ? Infinity : 0
    }))
    .sort((a, b) => b.share - a.share);
}

/** Learning rates on a logarithmic slider. */
export const slowest = -5; // 10^−5
export const fastest = 0; // 1
export const rateAt = (notch: number): number => Number((10 ** notch).toPrecision(2));
export const notchOf = (rate: number): number =>
  Math.max(slowest, Math.min(fastest, Math.log10(rate)));

/** 0.2, 0.00013: a learning rate without digits that say nothing. */
export const rateText = (rate: number): string => {
  const text = rate.toPrecision(6);
  return text.includes('e') ? rate.toFixed(12).replace(/0+$/, '') : String(Number(text));
};

/** A rate that was typed or stands in the address; null where it is none. */
export function rateOf(text: string | undefined): number | null {
  const rate = Number((text ?? '').trim() || NaN);
  return Number.isFinite(rate) && rate > 0 && rate <= 1000 ? rate : null;
}

/** One number of a layer's weight or bias. */
export interface Place {
  name: string;
  index: readonly number[];
}

export const placeText = ({ name, index }: Place): string => [name, ...index].join(',');

export function placeOf(text: string | undefined): Place | null {
  const match = /^(\w+)((?:,\d{1,6})+)$/.exec(text ?? '');
  if (!match) return null;
  return { name: match[1]!, index: match[2]!.slice(1).split(',').map(Number) };
}

export const fits = ({ index }: Place, shape: readonly number[]): boolean =>
  index.length === shape.length && index.every((at, axis) => at < shape[axis]!);

/** Where a number lies in a tensor, in C order. */
export const offsetOf = (index: readonly number[], shape: readonly number[]): number =>
  index.reduce((offset, at, axis) => offset * shape[axis]! + at, 0);

/** The place of an offset; the inverse of `offsetOf`. */
export function indexOf(offset: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(offset % shape[axis]!);
    offset = Math.floor(offset / shape[axis]!);
  }
  return index;
}

/** The largest number of one unit, up to its sign: its place in C order. */
export function largestOf(values: Float32Array, shape: readonly number[], unit: number): number {
  const size = shape.slice(1).reduce((a, b) => a * b, 1);
  let best = unit * size;
  for (let i = best; i < (unit + 1) * size; i++) {
    if (Math.abs(values[i]!) > Math.abs(values[best]!)) best = i;
  }
  return best;
}

/** What an activation function's slope does to a gradient, where that is a yes or a no. */
export function gate(equation: EquationMessage, step: number): string {
  const { kind, shown } = equation.steps[step]!;
  if (!kind.startsWith('relu')) return '';
  return / × 0 /.test(shown) ? 'gate shut' : / × 1 /.test(shown) ? 'gate open' : '';
}

/** The losses of successive steps as the path of a small curve, from its left to its right. */
export function curve(losses: readonly number[], width: number, height: number): string {
  const low = Math.min(...losses);
  const span = Math.max(...losses) - low || 1;
  const last = Math.max(1, losses.length - 1);
  return losses
    .map((loss, i) => {
      const [x, y] = [(i / last) * width, height - ((loss - low) / span) * height];
      return `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
