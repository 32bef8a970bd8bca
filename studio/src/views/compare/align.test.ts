import { describe, expect, it } from 'vitest';
import type { LayerMatchMessage, TraceMessage } from '../../api/types';
import { Scene } from '../look/scene';
import { alignKernels, alignMaps, extents, largest, mapOf } from './align';

const match = (units: (number | null)[], more: Partial<LayerMatchMessage> = {}) =>
  ({
    first: 'conv1',
    second: 'conv1',
    units,
    channels: null,
    has_equal_maps: true,
    why_no_kernels: null,
    ...more
  }) as LayerMatchMessage;

function scene(units: number, values: number[], size = 2): Scene {
  const layer = { name: 'conv1', kind: 'conv', shape: [units, 1, size], offset: 0, inputs: [] };
  const trace = { layers: [layer] } as unknown as TraceMessage;
  return new Scene(trace, Float32Array.from(values), {
    width: 1,
    height: 1,
    data: new Uint8ClampedArray(4)
  });
}

describe('maps of matched units', () => {
  const first = scene(3, [1, 2, 3, 4, 5, 6]);
  const second = scene(2, [10, 20, 30, 40]);
  const aligned = alignMaps(match([1, null, 0]), first, second)!;

  it('stand in the first order, and what has no partner is not a number', () => {
    expect([...aligned.second]).toEqual([30, 40, NaN, NaN, 10, 20]);
    expect([...aligned.difference!]).toEqual([29, 38, NaN, NaN, 5, 14]);
    expect(mapOf(aligned, 'second', 1)).toBeNull();
    expect(mapOf(aligned, 'second', 2)).toMatchObject({ offset: 4, width: 2, height: 1 });
    expect(largest(aligned, 0)).toBe(38);
    expect(largest(aligned, 1)).toBeNull();
  });

  it('share one scale with their difference, or leave it its own', () => {
    expect(extents(aligned, true)).toEqual({ sides: 40, difference: 40 });
    expect(extents(aligned, false)).toEqual({ sides: 40, difference: 38 });
  });

  it('of another size have no difference', () => {
    const wide = scene(2, [1, 2, 3, 4, 5, 6], 3);
    const found = alignMaps(match([1, null, 0], { has_equal_maps: false }), first, wide)!;
    expect(found.difference).toBeNull();
    expect(mapOf(found, 'second', 0)).toMatchObject({ offset: 0, width: 3 });
    expect([...found.second.slice(0, 3)]).toEqual([4, 5, 6]);
  });
});

describe('kernels of a matched pair', () => {
  const tensor = (shape: number[], from: number) => ({
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i)
  });

  it('read the partners of the channels that the first reads', () => {
    const [one, other] = [tensor([2, 2, 1, 2], 0), tensor([2, 3, 1, 2], 100)];
    const found = alignKernels(match([1, 0], { channels: [2, null] }), 0, one, other, [1, 2])!;
    expect([...found.first]).toEqual([0, 1, 2, 3]);
    expect([...found.second]).toEqual([110, 111, NaN, NaN]);
    expect([...found.difference]).toEqual([110, 110, NaN, NaN]);
    expect(found).toMatchObject({ tiles: 2, partners: [2, null] });
  });

  it('of a dense layer are tiles of the maps that were flattened', () => {
    const [one, other] = [tensor([1, 8], 0), tensor([1, 8], 10)];
    const channels = [4, 5, 6, 7, 0, 1, 2, 3]; // the second map of 2 × 2 first
    const found = alignKernels(match([0], { channels }), 0, one, other, [2, 2])!;
    expect([...found.second]).toEqual([14, 15, 16, 17, 10, 11, 12, 13]);
    expect(found).toMatchObject({ tiles: 2, rows: 2, columns: 2, partners: [1, 0] });
  });

  it('are none where the unit has no partner or the weights cannot be subtracted', () => {
    const one = tensor([1, 1, 1, 1], 0);
    expect(alignKernels(match([null]), 0, one, one, [1, 1])).toBeNull();
    expect(alignKernels(match([0], { why_no_kernels: 'no' }), 0, one, one, [1, 1])).toBeNull();
  });
});
