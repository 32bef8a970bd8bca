/**
 * An equation in the portions in which it is shown. Nothing is computed but exact sums of shown
 * digits, so that what is folded away adds up like the rest.
 */
import type { EquationMessage, TermMessage, TracedLayerMessage } from '../../../api/types';
import { sum } from '../../../format/decimal';
import type { Box } from '../../../scale/raster';
import type { Scene } from '../scene';

/** One input channel: its window as rows of terms. */
export interface Block {
  channel: number;
  rows: TermMessage[][];
  shown: string;
  sum: number;
}

export interface Rest {
  channels: number;
  products: number;
  /** exact sum of the folded channels' digits; null where they are not plain decimals */
  shown: string | null;
}

/** Terms of each channel, in rows; channels in the given order, `pinned` first. */
export function blocks(equation: EquationMessage, pinned: number | null = null): Block[] {
  const byChannel = new Map<number, TermMessage[]>();
  for (const term of equation.terms) {
    const list = byChannel.get(term.channel);
    if (list) list.push(term);
    else byChannel.set(term.channel, [term]);
  }
  const order = [...equation.channels].sort(
    (a, b) => Number(b.channel === pinned) - Number(a.channel === pinned)
  );
  return order.map(({ channel, shown, sum: value }) => ({
    channel,
    shown,
    sum: value,
    rows: rowsOf(byChannel.get(channel) ?? [])
  }));
}

function rowsOf(terms: readonly TermMessage[]): TermMessage[][] {
  const rows: TermMessage[][] = [];
  for (const term of terms) {
    const last = rows.at(-1);
    if (last && last[0]!.row === term.row) last.push(term);
    else rows.push([term]);
  }
  return rows;
}

/** What is said of the blocks after the first few. */
export function restOf(all: readonly Block[], first: number): Rest | null {
  const folded = all.slice(first);
  if (!folded.length) return null;
  return {
    channels: folded.length,
    products: folded.reduce((n, block) => n + block.rows.reduce((m, row) => m + row.length, 0), 0),
    shown: sum(folded.map((block) => block.shown))
  };
}

/**
 * Where a term of a layer that joins several comes from: of a sum each input has its term, of layers
 * side by side (concat) the unit tells which one it is.
 */
export function joinedFrom(
  scene: Scene,
  layer: TracedLayerMessage,
  unit: number,
  term: TermMessage,
  place: number
): { layer: TracedLayerMessage; unit: number } | null {
  const below = layer.inputs.map((name) => scene.layer(name));
  let which = place;
  if (layer.kind === 'concat') {
    let end = 0;
    which = below.findIndex((input) => unit < (end += input?.shape[0] ?? 0));
  }
  const there = below[which];
  return there ? { layer: there, unit: term.channel } : null;
}

/** One bar of the sum: it starts where the last one ended. */
export interface Bar {
  label: string;
  /** channel that it stands for; null for the bias and for what is folded */
  channel: number | null;
  value: number;
  shown: string;
  from: number;
  to: number;
}

/** What the bars are called; `#3` and `bias` unless told otherwise. */
export interface Names {
  channel: (channel: number) => string;
  bias: string;
  /** of single terms, by their place; left out: their row and column */
  term?: (place: number) => string;
}

const plain: Names = { channel: (channel) => `#${channel}`, bias: 'bias' };

/** Bias first, then channels (or single terms where there is one channel), the last bar being the rest. */
export function waterfall(equation: EquationMessage, most: number, names: Names = plain): Bar[] {
  const single = equation.channels.length === 1 && equation.terms.length > 1;
  const items = single
    ? equation.terms
        .map((t, place) => ({ t, label: names.term?.(place) ?? `${t.row},${t.column}` }))
        .sort((a, b) => Math.abs(b.t.product) - Math.abs(a.t.product))
        .map(({ t, label }) => ({
          label,
          channel: null,
          value: t.product,
          shown: t.shown_product
        }))
    : equation.channels.map((c) => ({
        label: names.channel(c.channel),
        channel: c.channel,
        value: c.sum,
        shown: c.shown
      }));
  const room = equation.bias === null ? most : most - 1;
  const kept = items.length <= room ? items : items.slice(0, room - 1);
  const folded = items.slice(kept.length);

  const bars: Omit<Bar, 'from' | 'to'>[] = [];
  if (equation.bias !== null && equation.shown_bias !== null) {
    bars.push({
      label: names.bias,
      channel: null,
      value: equation.bias,
      shown: equation.shown_bias
    });
  }
  bars.push(...kept);
  if (folded.length) {
    const value = folded.reduce((total, item) => total + item.value, 0);
    const shown = sum(folded.map((item) => item.shown)) ?? String(value);
    bars.push({ label: `${folded.length} more`, channel: null, value, shown });
  }
  let end = 0;
  return bars.map((bar) => {
    const from = end;
    end += bar.value;
    return { ...bar, from, to: end };
  });
}

export const mostBars = 9;

/** The least and the largest number that the bars of several sums lead to: their common scale. */
export function reachOf(equations: readonly EquationMessage[]): [number, number] {
  const ends = equations.flatMap((one) => waterfall(one, mostBars).map((bar) => bar.to));
  return [Math.min(0, ...ends), Math.max(0, ...ends)];
}

/** The largest |input|, |weight| and |product| of an equation: what its tiles are coloured by. */
export function extents(terms: readonly TermMessage[]): {
  input: number;
  weight: number;
  product: number;
} {
  const largest = (of: (term: TermMessage) => number) =>
    terms.reduce((most, term) => Math.max(most, Math.abs(of(term)) || 0), 0);
  return {
    input: largest((t) => t.input),
    weight: largest((t) => t.weight),
    product: largest((t) => t.product)
  };
}

/** Largest products first; equal ones stay in order. */
export const byContribution = (terms: readonly TermMessage[]): TermMessage[] =>
  [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));

/** A step's display is several short equations with "; " between them. */
export const lines = (shown: string): string[] => shown.split('; ');

/**
 * How the place of a number in a row follows from where it stood in maps of this size; null where
 * the maps do not stand one behind the other: where some were left out, or turned before.
 */
export function placeInRow(
  { channel, row, column }: TermMessage,
  place: number,
  height: number,
  width: number
): string | null {
  if (channel * height * width + row * width + column !== place) return null;
  return `${channel} · ${height * width} + ${row} · ${width} + ${column} = ${place}`;
}

/** The smallest box around the terms of a window, in cells of the map below. */
export function windowOf(terms: readonly TermMessage[]): Box | null {
  if (!terms.length) return null;
  const rows = terms.map((term) => term.row);
  const columns = terms.map((term) => term.column);
  const [x, y] = [Math.min(...columns), Math.min(...rows)];
  return { x, y, width: Math.max(...columns) - x + 1, height: Math.max(...rows) - y + 1 };
}
