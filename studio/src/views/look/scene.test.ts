import { describe, expect, it } from 'vitest';
import type { TraceMessage } from '../../api/types';
import { layerOf } from '../../network/sample';
import { carry, Scene } from './scene';

const layers = [
  { ...layerOf('conv1', 'conv', [2, 2, 2]), offset: 0 },
  { ...layerOf('dense1', 'dense', [3], ['conv1']), offset: 8 },
  { ...layerOf('softmax', 'softmax', [3], ['dense1']), offset: 11 }
];
const values = Float32Array.from([1, -2, 0, 0.5, 3, 0, 0, -4, 9, -10, 0, 50, 0, 0]);
const trace = { layers, classes: ['a', 'b', 'c'] } as unknown as TraceMessage;
const scene = new Scene(trace, values, { width: 1, height: 1, data: new Uint8ClampedArray(4) });
const [conv, dense] = scene.layers as [(typeof layers)[0], (typeof layers)[0]];

describe('a scene', () => {
  it('finds every number at its offset', () => {
    expect(scene.value(conv, 1, 1, 1)).toBe(-4);
    expect(scene.value(dense, 1)).toBe(-10);
    expect([...scene.all(dense)]).toEqual([9, -10, 0]);
    expect(scene.before(dense)).toBe(conv);
  });

  it('has three scales, each as wide as what it covers; probabilities do not widen them', () => {
    expect(scene.extent('unit', conv, 0)).toBe(2);
    expect(scene.extent('layer', conv, 0)).toBe(4);
    expect(scene.extent('network', conv, 0)).toBe(10);
  });

  it('knows where a unit is most active', () => {
    expect(scene.strongest(conv, 0)).toEqual({ row: 0, column: 1 });
    expect(scene.strongest(conv, 1)).toEqual({ row: 1, column: 1 });
  });

  it('knows which units are most active, and keeps them in order', () => {
    expect(scene.mostActive(conv, 1)).toEqual([1]);
    expect(scene.mostActive(dense, 2)).toEqual([0, 1]);
    expect(scene.mostActive(dense, 9)).toEqual([0, 1, 2]);
  });
});

it('a cell stays at its place when the map becomes smaller or larger', () => {
  expect(carry({ row: 31, column: 0 }, [32, 32], [16, 16])).toEqual({ row: 15, column: 0 });
  expect(carry({ row: 15, column: 8 }, [16, 16], [32, 32])).toEqual({ row: 31, column: 17 });
  expect(carry({ row: 0, column: 0 }, [1, 1], [8, 8])).toEqual({ row: 4, column: 4 });
});
