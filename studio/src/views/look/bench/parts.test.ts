import { describe, expect, it } from 'vitest';
import type { EquationMessage, TermMessage, TraceMessage } from '../../../api/types';
import { addsUp } from '../../../format/decimal';
import { layerOf } from '../../../network/sample';
import { Scene } from '../scene';
import {
  blocks,
  byContribution,
  extents,
  joinedFrom,
  lines,
  mostBars,
  placeInRow,
  reachOf,
  restOf,
  waterfall
} from './parts';

/** A 3 × 3 convolution over `channels` maps, its digits made to add up by being whole ten-thousandths. */
function equationOf(channels: number, bias: number | null): EquationMessage {
  let state = 11;
  const next = () => (state = (state * 48271) % 2147483647) % 9999;
  const shown = (units: number) => (units / 1e4).toFixed(4);
  const terms: TermMessage[] = [];
  const sums = Array.from({ length: channels }, (_, channel) => {
    let units = 0;
    for (let cell = 0; cell < 9; cell++) {
      const product = next() - 5000;
      units += product;
      terms.push({
        channel,
        row: 4 + Math.floor(cell / 3),
        column: 7 + (cell % 3),
        input: 1,
        weight: product / 1e4,
        product: product / 1e4,
        shown_input: '1.0000',
        shown_weight: shown(product),
        shown_product: shown(product),
        is_padding: false,
        is_winner: false
      });
    }
    return { channel, sum: units / 1e4, shown: shown(units), units };
  }).sort((a, b) => Math.abs(b.units) - Math.abs(a.units));
  const total = sums.reduce((n, s) => n + s.units, 0) + (bias ?? 0) * 1e4;
  return {
    terms,
    channels: sums.map(({ units: _, ...rest }) => rest),
    bias,
    shown_bias: bias === null ? null : bias.toFixed(4),
    sum: total / 1e4,
    shown_sum: shown(total)
  } as EquationMessage;
}

describe('an equation in portions', () => {
  const equation = equationOf(16, 0.18);

  it('shows each channel as the rows of its window, largest first', () => {
    const all = blocks(equation);
    expect(all.map((b) => b.rows.map((r) => r.length))).toEqual(Array(16).fill([3, 3, 3]));
    expect(all.map((b) => b.channel)).toEqual(equation.channels.map((c) => c.channel));
    for (const block of all) {
      expect(
        addsUp(
          block.rows.flat().map((t) => t.shown_product),
          block.shown
        )
      ).toBe(true);
    }
  });

  it('adds up as displayed, with the rest folded at any place', () => {
    const all = blocks(equation);
    for (const first of [0, 1, 3, 15, 16, 99]) {
      const rest = restOf(all, first);
      const shown = all.slice(0, first).map((b) => b.shown);
      expect(
        addsUp([...shown, ...(rest ? [rest.shown!] : []), equation.shown_bias!], equation.shown_sum)
      ).toBe(true);
    }
    expect(restOf(all, 3)).toMatchObject({ channels: 13, products: 117 });
    expect(restOf(all, 16)).toBeNull();
  });

  it('puts a pinned channel first and leaves the others in order', () => {
    const last = equation.channels.at(-1)!.channel;
    const order = blocks(equation, last).map((b) => b.channel);
    expect(order[0]).toBe(last);
    expect(order.slice(1)).toEqual(equation.channels.map((c) => c.channel).slice(0, -1));
  });

  it.each([
    [16, 0.18],
    [16, null],
    [3, 0.5],
    [3, null],
    [1, 0.1],
    [64, -2]
  ])(
    'has bars that begin where the last one ended and add up: %i channels, bias %s',
    (channels, bias) => {
      const one = equationOf(channels as number, bias as number | null);
      const bars = waterfall(one, 9);
      expect(bars.length).toBeLessThanOrEqual(10);
      expect(
        addsUp(
          bars.map((b) => b.shown),
          one.shown_sum
        )
      ).toBe(true);
      expect(bars.at(-1)!.to).toBeCloseTo(one.sum, 9);
      bars.slice(1).forEach((bar, i) => expect(bar.from).toBe(bars[i]!.to));
      expect(bars[0]!.label === 'bias').toBe(bias !== null);
    }
  );
});

it('extents, contributions and lines', () => {
  const equation = equationOf(2, null);
  const { weight, product } = extents(equation.terms);
  expect(weight).toBe(product);
  expect(Math.abs(byContribution(equation.terms)[0]!.product)).toBe(product);
  expect(lines('1 × 2 = 2; 2 + 1 = 3')).toEqual(['1 × 2 = 2', '2 + 1 = 3']);
});

describe('a number that only moved', () => {
  const [some] = equationOf(1, null).terms as [TermMessage];
  const [units, height, width] = [3, 4, 5];
  const cells = Array.from({ length: units * height * width }, (_, place) => ({
    ...some,
    channel: Math.floor(place / 20),
    row: Math.floor((place % 20) / 5),
    column: place % 5
  }));

  it('has a place in the row that follows from where it stood', () => {
    expect(placeInRow(cells[57]!, 57, height, width)).toBe('2 · 20 + 3 · 5 + 2 = 57');
    for (const [place, cell] of cells.entries())
      expect(placeInRow(cell, place, height, width)).toMatch(new RegExp(`= ${place}$`));
  });

  it('has none that follows where the row is put together in another way', () => {
    const turned = cells.map((cell) => ({ ...cell, row: cell.column, column: cell.row }));
    const told = turned.map((cell, place) => placeInRow(cell, place, width, height));
    expect(told.filter((one) => one !== null).length).toBeLessThan(cells.length / 2);
    expect(placeInRow(cells[10]!, 4, height, width)).toBeNull();
  });
});

describe('layers that join several', () => {
  const layers = [
    layerOf('conv1', 'conv', [4, 2, 2]),
    layerOf('conv2', 'conv', [6, 2, 2], ['conv1']),
    layerOf('add', 'add', [4, 2, 2], ['conv2', 'conv1']),
    layerOf('side', 'concat', [10, 2, 2], ['conv1', 'conv2'])
  ];
  const trace = { layers, classes: ['a', 'b'] } as unknown as TraceMessage;
  const pixels = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
  const scene = new Scene(trace, new Float32Array(100), pixels);
  const [conv1, conv2, add, side] = scene.layers as [
    (typeof layers)[0],
    (typeof layers)[0],
    (typeof layers)[0],
    (typeof layers)[0]
  ];
  const [term] = equationOf(1, null).terms as [TermMessage];
  const at = (channel: number) => ({ ...term, channel });

  it('have a term of each input of a sum, in their order', () => {
    expect(joinedFrom(scene, add, 3, at(3), 0)).toEqual({ layer: conv2, unit: 3 });
    expect(joinedFrom(scene, add, 3, at(3), 1)).toEqual({ layer: conv1, unit: 3 });
  });

  it('have, side by side, the unit of one of them', () => {
    expect(joinedFrom(scene, side, 3, at(3), 0)).toEqual({ layer: conv1, unit: 3 });
    expect(joinedFrom(scene, side, 4, at(0), 0)).toEqual({ layer: conv2, unit: 0 });
    expect(joinedFrom(scene, side, 9, at(5), 0)).toEqual({ layer: conv2, unit: 5 });
  });

  it('name their terms in the bars', () => {
    const one = equationOf(1, null);
    const names = { channel: String, bias: 'bias', term: (place: number) => `layer ${place}` };
    const labels = waterfall(one, 9, names).map(({ label }) => label);
    const largest = one.terms.reduce((a, b) => (Math.abs(b.product) > Math.abs(a.product) ? b : a));
    expect(labels[0]).toBe(`layer ${one.terms.indexOf(largest)}`);
    expect(new Set(labels).size).toBe(9);
  });
});

describe('two sums beside each other', () => {
  it('share a scale that has room for every bar of either, and for zero', () => {
    const both = [equationOf(16, 0.18), equationOf(5, null)];
    const [low, high] = reachOf(both);
    const ends = both.flatMap((one) =>
      waterfall(one, mostBars).flatMap(({ from, to }) => [from, to])
    );
    expect([low, high]).toEqual([Math.min(...ends), Math.max(...ends)]);
    expect(low).toBeLessThanOrEqual(0);
    expect(high).toBeGreaterThanOrEqual(0);
    expect(reachOf([])).toEqual([0, 0]);
  });
});
