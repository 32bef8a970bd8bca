import { describe, expect, it } from 'vitest';
import { curve, edgesInto, kernelSums, relative, strongest } from './edges';
import { demoLayers, layerOf } from './sample';

const layers = demoLayers();
const named = (name: string) => layers.find((l) => l.name === name)!;

describe('curves into a unit', () => {
  it('come from every channel that a convolution reads, signed and relative to the largest', () => {
    const weights = {
      values: Float32Array.from({ length: 16 * 16 * 9 }, (_, i) => Math.sin(i)),
      shape: [16, 16, 3, 3]
    };
    const edges = edgesInto(named('conv2'), 3, layers, weights);
    expect(edges.map((e) => e.unit)).toEqual([...Array(16).keys()]);
    expect(edges.every((e) => e.from === 'relu1' && e.isSigned)).toBe(true);
    expect(Math.max(...edges.map((e) => Math.abs(e.strength)))).toBe(1);
    const sums = kernelSums(weights, 3);
    const byHand = Array.from(weights.values.slice(3 * 144 + 2 * 9, 3 * 144 + 3 * 9)).reduce(
      (a, b) => a + b,
      0
    );
    expect(sums[2]).toBeCloseTo(byHand, 12);
  });

  it('show for one cell what each channel adds there', () => {
    const sums = [
      { channel: 7, sum: -2 },
      { channel: 0, sum: 1 }
    ];
    const edges = edgesInto(named('conv2'), 3, layers, undefined, sums);
    expect(edges.map((e) => [e.unit, e.strength])).toEqual([
      [7, -1],
      [0, 0.5]
    ]);
  });

  it('are there before the weights are, without a sign', () => {
    expect(edgesInto(named('conv1'), 0, layers)).toHaveLength(3);
    expect(edgesInto(named('conv1'), 0, layers)[0]!.isSigned).toBe(false);
  });

  it('come from one unit where a layer works unit by unit', () => {
    for (const name of ['norm3', 'relu3', 'pool1']) {
      expect(edgesInto(named(name), 7, layers).map((e) => e.unit)).toEqual([7]);
    }
  });

  it('lead a cell of the flat vector back to its map', () => {
    expect(edgesInto(named('flatten'), 255, layers)[0]!.unit).toBe(15);
    expect(edgesInto(named('flatten'), 16, layers)[0]!.unit).toBe(1);
  });

  it('stay inside the group of a grouped convolution', () => {
    const two = [layerOf('a', 'relu', [8, 4, 4]), layerOf('b', 'conv', [8, 4, 4], ['a'])];
    const weights = { values: new Float32Array(8 * 4).fill(1), shape: [8, 4, 1, 1] };
    expect(edgesInto(two[1]!, 7, two, weights).map((e) => e.unit)).toEqual([4, 5, 6, 7]);
    expect(edgesInto(two[1]!, 0, two, weights).map((e) => e.unit)).toEqual([0, 1, 2, 3]);
  });

  it('are not invented for a layer that is not known', () => {
    const odd = [
      layerOf('a', 'relu', [8, 4, 4]),
      { ...layerOf('b', 'unknown', [8, 4, 4], ['a']), known: false }
    ];
    expect(edgesInto(odd[1]!, 0, odd)).toEqual([]);
  });
});

it('of very many curves the strongest are kept, in their order', () => {
  const edges = Array.from({ length: 1000 }, (_, unit) => ({
    from: 'a',
    unit,
    strength: Math.sin(unit * unit),
    isSigned: true
  }));
  const kept = strongest(edges, 200);
  expect(kept).toHaveLength(200);
  const least = Math.min(...kept.map((e) => Math.abs(e.strength)));
  const dropped = edges.filter((e) => !kept.includes(e));
  expect(Math.max(...dropped.map((e) => Math.abs(e.strength)))).toBeLessThanOrEqual(least);
  expect(kept.map((e) => e.unit)).toEqual(kept.map((e) => e.unit).sort((a, b) => a - b));
  expect(strongest(edges, 5000)).toHaveLength(1000);
});

it('all-zero weights have no strength, not NaN', () => {
  expect(relative([0, 0])).toEqual([0, 0]);
});

it('a curve begins and ends where it is told', () => {
  expect(curve(0, 10, 100, 50)).toBe('M0 10C50 10 50 50 100 50');
});
