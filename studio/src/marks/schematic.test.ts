import { describe, expect, it } from 'vitest';
import type { LayerSize } from '../api/types';
import { lines, most, plan, shapeText } from './schematic';

const layer = (name: string, kind: string, shape: number[], parameters = 0): LayerSize => ({
  name,
  kind,
  text: name,
  shape,
  parameters,
  receptive_field_px: null
});

const layers = [
  layer('normalise', 'normalise', [3, 32, 32]),
  layer('conv1', 'conv', [16, 32, 32], 432),
  layer('norm1', 'norm', [16, 32, 32], 32),
  layer('relu1', 'relu', [16, 32, 32]),
  layer('pool1', 'max_pool', [16, 16, 16]),
  layer('conv2', 'conv', [64, 16, 16], 9216),
  layer('flatten', 'flatten', [16384]),
  layer('dense1', 'dense', [6], 98310),
  layer('softmax', 'softmax', [6])
];

describe('the plan of a network', () => {
  const { columns, width } = plan(layers, 900, 160);

  it('folds what follows cell by cell, and loses no layer', () => {
    expect(columns.map(({ name }) => name)).toEqual([
      'normalise',
      'conv1',
      'pool1',
      'conv2',
      'dense1',
      'softmax'
    ]);
    expect(columns.flatMap((column) => column.layers)).toEqual(layers.map(({ name }) => name));
    expect(columns.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(
      layers.reduce((sum, { parameters }) => sum + parameters, 0)
    );
  });

  it('draws at most sixteen units and knows how many there are', () => {
    expect(columns[3]).toMatchObject({ units: 64, drawn: most });
  });

  it('keeps every tile inside and apart from the next', () => {
    for (const { ys, tile } of columns) {
      expect(ys[0]).toBeGreaterThanOrEqual(0);
      expect(ys.at(-1)! + tile).toBeLessThanOrEqual(160);
      expect(ys.every((y, i) => i === 0 || y - ys[i - 1]! > tile)).toBe(true);
    }
    expect(width).toBe(900);
  });

  it('draws smaller maps smaller, and numbers as dots', () => {
    expect(columns[2]!.tile).toBeLessThan(columns[1]!.tile);
    expect(columns[4]).toMatchObject({ isRound: true, drawn: 6 });
  });

  it('grows wider than its room rather than narrower than its labels', () => {
    expect(plan(layers, 300, 160).width).toBeGreaterThan(300);
  });
});

describe('the lines between two columns', () => {
  const { columns } = plan(layers, 900, 160);
  const count = (text: string) => text.split('M').length - 1;

  it('join every unit of a convolution with every map it reads', () => {
    expect(count(lines(columns[0]!, columns[1]!))).toBe(3 * 16);
  });

  it('join a pooled map only with its own', () => {
    expect(count(lines(columns[1]!, columns[2]!))).toBe(16);
  });
});

describe('a shape in words', () => {
  it('tells maps from numbers', () => {
    expect(shapeText([16, 8, 8])).toBe('16 × 8 × 8');
    expect(shapeText([6])).toBe('6 numbers');
  });
});
