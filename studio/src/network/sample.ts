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

/** Stages of residual blocks, as a ResNet has them: conv, norm, relu, conv, norm, add, relu. */
export function deepLayers(of: {
  stages: number;
  blocks: number;
  units?: number;
}): TracedLayerMessage[] {
  const { stages, blocks, units = 16 } = of;
  const shape = [units, 8, 8];
  const layers = [layerOf('normalise', 'normalise', [3, 32, 32])];
  const add = (name: string, kind: string, more: string[] = []) =>
    layers.push(layerOf(name, kind, shape, [layers.at(-1)!.name, ...more]));
  add('conv', 'conv');
  for (let stage = 0; stage < stages; stage++) {
    for (let block = 0; block < blocks; block++) {
      const name = `stage${stage}.${block}`;
      const before = layers.at(-1)!.name;
      add(`${name}.conv1`, 'conv');
      add(`${name}.norm1`, 'norm');
      add(`${name}.relu1`, 'relu');
      add(`${name}.conv2`, 'conv');
      add(`${name}.norm2`, 'norm');
      add(`${name}.add`, 'add', [before]);
      add(`${name}.relu2`, 'relu');
    }
  }
  layers.push(layerOf('flatten', 'flatten', [units * 64], [layers.at(-1)!.name]));
  layers.push(layerOf('dense', 'dense', [6], ['flatten']));
  layers.push(layerOf('softmax', 'softmax', [6], ['dense']));
  return layers;
}
