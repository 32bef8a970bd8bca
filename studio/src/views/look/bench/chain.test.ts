import { expect, it } from 'vitest';
import { demoLayers, layerOf } from '../../../network/sample';
import { chain } from './chain';

const layers = demoLayers();
const names = (name: string) =>
  chain(
    layers.find((l) => l.name === name)!,
    layers,
    false
  ).map((l) => l.layer.name);

it('follows normalisation and activation, and ends where windows begin', () => {
  expect(names('conv1')).toEqual(['conv1', 'norm1', 'relu1']);
  expect(names('conv2')).toEqual(['conv2', 'norm2', 'relu2']);
  expect(names('dense1')).toEqual(['dense1']);
});

it('ends where a map is read twice', () => {
  const forked = [
    layerOf('a', 'conv', [4, 2, 2]),
    layerOf('b', 'relu', [4, 2, 2], ['a']),
    layerOf('c', 'add', [4, 2, 2], ['a', 'b'])
  ];
  expect(chain(forked[0]!, forked, true).map((l) => l.layer.name)).toEqual(['a']);
});

it('speaks of a bias only where there is one', () => {
  const words = (hasBias: boolean) => chain(layers[1]!, layers, hasBias).map((l) => l.word);
  expect(words(true)[0]).toBe('Σ + bias =');
  expect(words(false)[0]).toBe('Σ =');
});
