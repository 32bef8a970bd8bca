import { describe, expect, it } from 'vitest';
import type { BackwardMessage, TraceMessage } from '../../../api/types';
import { layerOf } from '../../../network/sample';
import { Scene } from '../scene';
import { After, difference, gradientScene } from './gradients';

const layers = [
  { ...layerOf('conv1', 'conv', [2, 1, 2]), offset: 0 },
  { ...layerOf('dense1', 'dense', [2], ['conv1']), offset: 4 },
  { ...layerOf('softmax', 'softmax', [2], ['dense1']), offset: 6 }
];
const trace = { layers, classes: ['a', 'b'] } as unknown as TraceMessage;
const pixels = { width: 2, height: 1, data: new Uint8ClampedArray(8) };
const scene = new Scene(trace, Float32Array.from([1, 2, 3, 4, 5, 6, 0.3, 0.7]), pixels);
const [conv, dense, softmax] = scene.layers;

describe('gradients as a scene', () => {
  const at = (name: string, shape: number[], offset: number) => ({
    name,
    shape,
    offset,
    minimum: 0,
    maximum: 0
  });
  const back = {
    layers: [at('photo', [3, 1, 2], 0), at('conv1', [2, 1, 2], 6), at('dense1', [2], 10)]
  } as unknown as BackwardMessage;
  const found = Float32Array.from([1, 2, 3, 4, 5, 6, 0, 0, -0.5, 8, 0.25, -0.25]);
  const gradients = gradientScene(scene, back, found);

  it('answers with the gradient where it is asked with a layer of activations', () => {
    expect(gradients.value(conv!, 1, 0, 0)).toBe(-0.5);
    expect([...gradients.all(dense!)]).toEqual([0.25, -0.25]);
    expect(gradients.extent('layer', conv!, 0)).toBe(8);
    expect(scene.value(conv!, 1, 0, 0)).toBe(3);
  });

  it('knows the photo, which is no layer of the network', () => {
    expect(gradients.value(gradients.layer('photo')!, 2, 0, 1)).toBe(6);
    expect(gradients.layers.map((layer) => layer.name)).not.toContain('photo');
    expect(scene.layer('photo')).toBeUndefined();
  });

  it('has zeros where the loss depends on nothing, and says which units get nothing', () => {
    expect([...gradients.all(softmax!)]).toEqual([0, 0]);
    expect(gradients.layer('conv1')!.active_units).toEqual([false, true]);
  });
});

describe('a step', () => {
  const after = new After(scene, Float32Array.from([1, 2, 3, 14, 5, 7, 0.2, 0.8]));

  it('is drawn after it in the colours of before', () => {
    expect(after.value(conv!, 1, 0, 1)).toBe(14);
    expect(after.extent('layer', conv!, 1)).toBe(scene.extent('layer', conv!, 1));
  });

  it('changes what differs', () => {
    const change = difference(scene, after);
    expect([...change.all(conv!)]).toEqual([0, 0, 0, 10]);
    expect(change.extent('layer', dense!, 0)).toBe(1);
    expect(change.layer('conv1')!.active_units).toEqual([false, true]);
  });
});
