import { expect, test } from 'vitest';
import { laid, mostShown } from './sheet';

test('kernels stand below each other, a column a unit, at their place in the numbers', () => {
  const sheet = laid([5, 16, 3, 5, 5], 800);
  expect([sheet.moments, sheet.units, sheet.size]).toEqual([5, 16, 1200]);
  expect(sheet.boxes).toHaveLength(48);
  const [first, second] = sheet.boxes;
  expect(second!.box.x).toBe(first!.box.x);
  expect(second!.box.y).toBeGreaterThanOrEqual(first!.box.y + first!.box.height);
  expect(sheet.boxes.map(({ offset }) => offset)).toEqual(
    Array.from({ length: 48 }, (_, i) => 25 * i)
  );
});

test.each([320, 360, 560, 800, 1200])('nothing overlaps or leaves a sheet of %i px', (width) => {
  for (const shape of [
    [3, 16, 3, 5, 5],
    [3, 16, 16, 3, 3],
    [3, 64, 64, 1, 1],
    [3, 16, 16, 16],
    [3, 32, 4, 4],
    [3, 1, 8, 8]
  ]) {
    const { boxes, height } = laid(shape, width);
    for (const { box } of boxes) {
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
    const corners = new Set(boxes.map(({ box }) => `${box.x},${box.y}`));
    expect(corners.size).toBe(boxes.length);
  }
});

test('of large layers the first units are drawn', () => {
  const sheet = laid([2, 200, 9, 9], 600);
  expect(sheet.units).toBe(mostShown);
  expect(sheet.size).toBe(200 * 81);
});
