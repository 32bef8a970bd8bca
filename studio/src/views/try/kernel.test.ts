import { describe, expect, it } from 'vitest';
import { channelsOf, dragged, shown, typed } from './kernel';

describe('a weight', () => {
  it('is typed with a point or a comma, a hyphen or a minus', () => {
    expect(typed('−0,25', 1)).toBe(-0.25);
    expect(typed(' 3.5 ', 1)).toBe(3.5);
    expect(typed('-1e-3', 1)).toBe(-0.001);
  });

  it('stays where nothing was typed, or no number, or itself', () => {
    for (const text of ['', '  ', 'two', '1e999', shown(0.12344)])
      expect(typed(text, 0.12344)).toBeNull();
  });

  it('is dragged by a hundredth a pixel, by a tenth with Shift, and back to where it was', () => {
    expect(dragged(0.5, 25, false)).toBe(0.75);
    expect(dragged(0.5, -3, true)).toBe(0.2);
    expect(dragged(-0.1234, 0, false)).toBe(-0.1234);
  });
});

describe('the channels beside each other', () => {
  it('are those of a photo, or one of many', () => {
    expect(channelsOf(3, 2)).toEqual([0, 1, 2]);
    expect(channelsOf(1, 0)).toEqual([0]);
    expect(channelsOf(64, 17)).toEqual([17]);
    expect(channelsOf(64, 99)).toEqual([63]);
  });
});
