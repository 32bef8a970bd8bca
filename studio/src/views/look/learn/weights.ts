/** One unit's learned numbers as small matrices: for each channel that it reads, its weights and their gradients. */
import type { TracedLayerMessage } from '../../../api/types';
import { isSpatial, mapSize } from '../scene';
import { indexOf } from './figures';
import type { Part } from './learn.svelte';

export interface NumberAt {
  /** in the tensor */
  index: number[];
  weight: number;
  gradient: number;
}

export interface Matrix {
  name: string;
  label: string;
  columns: number;
  numbers: NumberAt[];
  /** the largest gradient in it, up to its sign */
  largest: number;
}

const across = 8; // numbers of a vector in a line

/** Largest gradients first within weights, then the bias. `source`: what a dense layer's row was made of. */
export function matrices(
  { name, weights, gradient }: Part,
  unit: number,
  source: TracedLayerMessage | undefined
): Matrix[] {
  const { shape } = gradient;
  const own = shape.slice(1).reduce((a, b) => a * b, 1);
  const at = (i: number): NumberAt => ({
    index: indexOf(unit * own + i, shape),
    weight: weights.values[unit * own + i] ?? NaN,
    gradient: gradient.values[unit * own + i] ?? NaN
  });
  const all = Array.from({ length: own }, (_, i) => at(i));
  const [height, width] = source && isSpatial(source) ? mapSize(source) : [1, 1];
  const isOfMaps = shape.length === 2 && height * width > 1 && own % (height * width) === 0;
  const each =
    shape.length === 4 ? shape[2]! * shape[3]! : isOfMaps ? height * width : Math.min(own, across);
  const columns = shape.length === 4 ? shape[3]! : isOfMaps ? width : each;
  const found: Matrix[] = [];
  for (let i = 0; i < own; i += each) {
    const numbers = all.slice(i, i + each);
    const largest = Math.max(...numbers.map((n) => Math.abs(n.gradient) || 0));
    const label =
      own === 1 ? name : shape.length === 2 && !isOfMaps ? `from #${i}` : `#${i / each}`;
    found.push({ name, label, columns, numbers, largest });
  }
  return found.sort((a, b) => b.largest - a.largest);
}

/** So many digits behind the point that the largest number shows about three that count. */
export function decimalsFor(largest: number): number {
  if (!(largest > 0) || !Number.isFinite(largest)) return 3;
  return Math.max(1, Math.min(7, 2 - Math.floor(Math.log10(largest))));
}
