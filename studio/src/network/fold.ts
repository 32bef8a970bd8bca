/**
 * Blocks of layers, so that a deep network fits on a screen; pure.
 *
 * A block is a run of layers whose names begin alike: stage1.0.conv1, stage1.0.norm1, … Folded, it is
 * drawn by its last layer, whose numbers are those that leave it. What every name begins with says
 * nothing and does not count.
 */
import type { TracedLayerMessage } from '../api/types';

/** One column to be: a layer, or a folded block drawn by its last layer. */
export interface Item {
  layer: TracedLayerMessage;
  /** the block it belongs to; null where it stands alone */
  block: string | null;
  /** layers that are folded into it; 1: only itself */
  count: number;
}

const fewest = 3; // layers that are worth a fold

/** The parts of a name that tell blocks apart: without its last, and without what all have in front. */
function stems(layers: readonly TracedLayerMessage[]): string[][] {
  const parts = layers.map(({ name }) => name.split('.').slice(0, -1));
  const named = parts.filter((each) => each.length);
  const [first = []] = named;
  let same = 0;
  while (first[same] !== undefined && named.every((each) => each[same] === first[same])) same++;
  return parts.map((each) => each.slice(same));
}

const wrapped = 'network.'; // what `seethrough.wrap` puts before the names of a module

/** What stands before every name of a module that was wrapped; empty where there is none. */
export function frontOf(columns: readonly { name: string }[]): string {
  const inside = columns.filter(({ name }) => name.includes('.'));
  return inside.length && inside.every(({ name }) => name.startsWith(wrapped)) ? wrapped : '';
}

/** How many parts of the names a block may be made of, the deepest first. */
export function depths(layers: readonly TracedLayerMessage[]): number[] {
  const deepest = Math.max(0, ...stems(layers).map((stem) => stem.length));
  return Array.from({ length: deepest }, (_, i) => deepest - i);
}

/** The block of each layer at a depth; null where a run is too short. */
export function blocksOf(layers: readonly TracedLayerMessage[], depth: number): (string | null)[] {
  const names = stems(layers).map((stem) => stem.slice(0, depth).join('.') || null);
  const used = new Map<string, number>();
  const found: (string | null)[] = names.map(() => null);
  for (let start = 0; start < names.length;) {
    const name = names[start]!;
    let end = start + 1;
    while (end < names.length && names[end] === name) end++;
    if (name !== null && end - start >= fewest) {
      const before = used.get(name) ?? 0; // a block that comes back later is another one
      used.set(name, before + 1);
      found.fill(before ? `${name}:${before + 1}` : name, start, end);
    }
    start = end;
  }
  return found;
}

/** The block of every layer that belongs to one. */
export function blockOf(
  layers: readonly TracedLayerMessage[],
  depth: number
): ReadonlyMap<string, string> {
  const blocks = blocksOf(layers, depth);
  return new Map(layers.flatMap(({ name }, i) => (blocks[i] ? [[name, blocks[i]]] : [])));
}

/** The columns: every layer alone, but of a block that is not `open` only its last. */
export function fold(
  layers: readonly TracedLayerMessage[],
  depth: number,
  open: (block: string) => boolean
): Item[] {
  const blocks = blocksOf(layers, depth);
  const items: Item[] = [];
  let count = 0;
  layers.forEach((layer, i) => {
    const block = blocks[i]!;
    const isFolded = block !== null && !open(block);
    count++;
    if (isFolded && blocks[i + 1] === block) return;
    items.push({ layer, block, count: isFolded ? count : 1 });
    count = 0;
  });
  return items;
}

/** A way from one column to another that passes over those between. */
export interface Jump {
  from: number;
  to: number;
}

/** What is read from further back than the column before: residual and parallel paths. */
export function jumps(
  layers: readonly TracedLayerMessage[],
  items: readonly { layer: TracedLayerMessage }[]
): Jump[] {
  const columnOf = new Map<string, number>();
  const ends = new Map(items.map(({ layer }, index) => [layer.name, index]));
  let column = 0;
  for (const { name } of layers) {
    columnOf.set(name, column);
    if (ends.has(name)) column = ends.get(name)! + 1;
  }
  const found = new Map<string, Jump>();
  for (const { name, inputs } of layers) {
    const to = columnOf.get(name)!;
    for (const input of inputs) {
      const from = columnOf.get(input);
      if (from !== undefined && from < to - 1) found.set(`${from}/${to}`, { from, to });
    }
  }
  return [...found.values()];
}
