import { describe, expect, it } from 'vitest';
import {
  hex,
  keepable,
  nothing,
  parts,
  question,
  read,
  unitOf,
  written,
  type Change
} from './change';

const much: Change = {
  cover: [2, 3, 20, 24],
  shift: [-4, 5],
  turn: -35,
  blur: 1.25,
  noise: 12,
  brightness: -20,
  contrast: 0.4,
  plain: [0, 128, 255],
  temperature: 2.5,
  off: ['relu2.3', 'block.0.conv.11'],
  functions: { relu1: 'gelu', 'block.act': 'tanh' }
};

describe('a change in the address', () => {
  it('comes back as it was', () => {
    expect(read(written(much))).toEqual(much);
  });

  it('that changes nothing leaves no trace in it', () => {
    expect(written(nothing)).toEqual({});
    expect(read({})).toEqual(nothing);
  });

  it.each([
    { cover: '4,4,4,9' },
    { cover: '1,2,3' },
    { cover: '-1,0,3,3' },
    { plain: '0,0,256' },
    { turn: 'north' },
    { contrast: '' },
    { off: 'relu2' },
    { functions: 'relu1:sine' },
    { shift: '0.5,1' }
  ])('that cannot be read is none: %o', (query) => {
    expect(read(query as unknown as Record<string, string>)).toEqual(nothing);
  });

  it('stays within what the sliders have', () => {
    expect(read({ turn: '999', blur: '-3' })).toEqual({ ...nothing, turn: 180 });
  });
});

it('a unit is what stands behind the last dot', () => {
  expect(unitOf('block.0.conv.11')).toEqual({ layer: 'block.0.conv', unit: 11 });
});

it('a question has every part of the change in the words of the server', () => {
  const asked = question(much, [[0, 1, 2, 3, 4]], [{ name: 'w', index: [0], value: 1 }], 'sha');
  expect(asked.off).toEqual([
    { layer: 'relu2', unit: 3 },
    { layer: 'block.0.conv', unit: 11 }
  ]);
  expect(asked.photo).toMatchObject({ turn_degrees: -35, blur_px: 1.25, paint: [[0, 1, 2, 3, 4]] });
  expect(asked.weights).toEqual([{ name: 'w', index: [0], value: 1 }]);
  expect(asked.weights_sha256).toBe('sha');
});

it('a colour comes back from its hexadecimal form', () => {
  expect(parts('#0a80ff')).toEqual([10, 128, 255]);
  expect(hex(parts('#0a80ff'))).toBe('#0a80ff');
});

describe('what a network can keep', () => {
  const edit = { name: 'conv1.weight', index: [0, 0, 0, 0], value: 1 };

  it('is told in words', () => {
    expect(keepable(much, [edit, edit])).toBe('2 weights, 2 units off and 2 functions');
    expect(keepable({ ...nothing, off: ['relu1.3'] }, [])).toBe('1 unit off');
    expect(keepable({ ...nothing, functions: { relu1: 'gelu' } }, [edit])).toBe(
      '1 weight and 1 function'
    );
  });

  it('is neither the photo nor the temperature', () => {
    expect(keepable({ ...much, off: [], functions: {} }, [])).toBe('');
  });
});
