import { describe, expect, it } from 'vitest';
import { mapBox, sheet, within } from './sheet';

const map = { width: 48, height: 48 };

describe('the sheet of channels', () => {
  it('places as many columns beside each other as there is room for', () => {
    const { channels, width } = sheet(16, 300, map, map);
    expect(width).toBe(5 * 54);
    expect(channels.map(({ column }) => column.x / 54)).toEqual(
      Array.from({ length: 16 }, (_, i) => i % 5)
    );
    expect(new Set(channels.map(({ column }) => column.y)).size).toBe(4);
  });

  it('takes no more room than it needs, and one column even where there is none', () => {
    expect(sheet(3, 5000, map, map).width).toBe(3 * 54);
    expect(sheet(3, 0, map, map).width).toBe(54);
  });

  it('keeps everything apart and inside', () => {
    const plan = sheet(7, 230, { width: 96, height: 48 }, { width: 48, height: 30 });
    for (const { column, input, kernel, partial } of plan.channels) {
      expect(input.y + input.height).toBeLessThan(kernel.y);
      expect(kernel.y + kernel.height).toBeLessThan(partial.y);
      for (const box of [input, kernel, partial]) {
        expect(box.x).toBeGreaterThanOrEqual(column.x);
        expect(box.x + box.width).toBeLessThanOrEqual(column.x + column.width);
        expect(box.y + box.height).toBeLessThanOrEqual(column.y + column.height);
      }
      expect(column.x + column.width).toBeLessThanOrEqual(plan.width);
      expect(column.y + column.height).toBeLessThanOrEqual(plan.height);
    }
  });
});

it('gives every cell of a map the same whole number of pixels where they fit', () => {
  expect(mapBox({ width: 16, height: 16 }, 48)).toEqual({ width: 48, height: 48 });
  expect(mapBox({ width: 5, height: 3 }, 48)).toEqual({ width: 45, height: 27 });
  expect(mapBox({ width: 96, height: 24 }, 48)).toEqual({ width: 48, height: 12 });
});

it('finds a window in a map, over its edge too', () => {
  const place = { x: 10, y: 20, width: 40, height: 40 };
  expect(within({ x: -1, y: 2, width: 3, height: 3 }, { width: 8, height: 8 }, place)).toEqual({
    x: 5,
    y: 30,
    width: 15,
    height: 15
  });
});
