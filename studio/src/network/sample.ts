/** Layers as the server describes them, for tests. */
import type { TracedLayerMessage } from '../api/types';

export function layerOf(
  name: string,
  kind: string,
  shape: number[],
  inputs: string[] = ['photo']
): TracedLayerMessage {
  return {
    name,
    kind,
    shape,
    inputs,
    text: kind,
    offset: 0,
    minimum: -1,
    maximum: 1,
    parameters: 0,
    receptive_field_px: null,
    known: true,
    active_units: Array.from({ length: shape[0] ?? 0 }, () => true)
  };
}

/** Six convolutions of 16 units with norm and ReLU, three poolings, six classes, 32 px. */
export function demoLayers(): TracedLayerMessage[] {
  const layers = [layerOf('normalise', 'normalise', [3, 32, 32])];
  const add = (name: string, kind: string, shape: number[]) =>
    layers.push(layerOf(name, kind, shape, [layers.at(-1)!.name]));
  let size = 32;
  for (let i = 1; i <= 6; i++) {
    for (const kind of ['conv', 'norm', 'relu']) add(`${kind}${i}`, kind, [16, size, size]);
    if (i % 2 === 0) add(`pool${i / 2}`, 'max_pool', [16, (size /= 2), size]);
  }
  add('flatten', 'flatten', [256]);
  add('dense1', 'dense', [6]);
  add('softmax', 'softmax', [6]);
  return layers;
}
