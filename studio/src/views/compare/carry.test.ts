import { describe, expect, it } from 'vitest';
import { nothing, type Stroke } from '../try/change';
import { carryChange, carryPaint } from './carry';

const small = { width: 32, height: 32 };
const large = { width: 64, height: 96 };

describe('a change that is carried to another size', () => {
  it('is the same where the sizes are', () => {
    const change = { ...nothing, shift: [3, -2] as [number, number] };
    expect(carryChange(change, small, small)).toBe(change);
  });

  it('covers and shifts the same part', () => {
    const change = {
      ...nothing,
      cover: [8, 4, 16, 12] as [number, number, number, number],
      shift: [2, -3] as [number, number],
      brightness: 20
    };
    expect(carryChange(change, small, large)).toEqual({
      ...change,
      cover: [24, 8, 48, 24],
      shift: [6, -6]
    });
  });

  it('keeps a covered pixel where the other photo is smaller', () => {
    const cover: [number, number, number, number] = [10, 10, 11, 11];
    const found = carryChange({ ...nothing, cover }, { width: 64, height: 64 }, small).cover!;
    expect([found[2] - found[0], found[3] - found[1]]).toEqual([1, 1]);
  });

  it('paints the whole place of a pixel, and of many pixels the one in the middle', () => {
    const stroke: Stroke = [1, 2, 208, 32, 32];
    const grown = carryPaint([stroke], small, large);
    expect(grown.map(([row, column]) => [row, column])).toEqual([
      [3, 4],
      [3, 5],
      [4, 4],
      [4, 5],
      [5, 4],
      [5, 5]
    ]);
    expect(grown.every((one) => one.slice(2).join() === '208,32,32')).toBe(true);
    expect(carryPaint(grown, large, small)).toEqual([stroke]);
  });
});
