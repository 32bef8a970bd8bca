import { describe, expect, it } from 'vitest';
import type { EquationMessage } from '../api/types';
import { edgesBack } from './back';
import { demoLayers } from './sample';

const layers = demoLayers();
const layer = (name: string) => layers.find((l) => l.name === name)!;

describe('curves of the way back', () => {
  it('come from every unit of the convolution that reads the map', () => {
    const edges = edgesBack(layer('relu1'), 3, layers);
    expect(edges.map((e) => `${e.from} ${e.unit}`)).toEqual(
      Array.from({ length: 16 }, (_, i) => `conv2 ${i}`)
    );
  });

  it('come from the same unit where a layer works unit by unit', () => {
    expect(edgesBack(layer('conv1'), 3, layers)).toMatchObject([{ from: 'norm1', unit: 3 }]);
    expect(edgesBack(layer('relu2'), 5, layers)).toMatchObject([{ from: 'pool1', unit: 5 }]);
  });

  it('come from the cells of a map in the row that was made of it', () => {
    const units = edgesBack(layer('pool3'), 2, layers).map((e) => e.unit);
    expect(units).toEqual(Array.from({ length: 16 }, (_, i) => 32 + i));
  });

  it('end at the logits: the loss has no units', () => {
    expect(edgesBack(layer('dense1'), 2, layers)).toEqual([]);
  });

  it('are as strong as what comes back to one cell, layer by layer', () => {
    const equation = {
      channels: [
        { channel: 17, sum: -4 },
        { channel: 2, sum: 1 }
      ],
      readers: [
        { layer: 'conv2', kind: 'conv', first: 0, units: 16 },
        { layer: 'add', kind: 'add', first: 16, units: 16 }
      ]
    } as unknown as EquationMessage;
    expect(edgesBack(layer('relu1'), 1, layers, equation)).toEqual([
      { from: 'add', unit: 1, strength: -1, isSigned: true },
      { from: 'conv2', unit: 2, strength: 0.25, isSigned: true }
    ]);
  });
});
