import { describe, expect, it } from 'vitest';
import { pixelAt, pixelWords, placeOf, spotAt } from './pixel';

const photo = (width: number, height: number, from = 0) => ({
  width,
  height,
  data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => from + i)
});

describe('a place on two photos', () => {
  it('is found again in every pixel of either', () => {
    const size = photo(5, 3);
    for (let row = 0; row < 3; row++)
      for (let column = 0; column < 5; column++)
        expect(placeOf(spotAt(row, column, size), size)).toEqual([row, column]);
    expect(placeOf(spotAt(-1, 9, size), size)).toEqual([0, 4]);
  });

  it('has the numbers of that pixel', () => {
    expect(pixelAt(photo(2, 2), spotAt(1, 0, { width: 2, height: 2 }))).toEqual({
      row: 1,
      column: 0,
      red: 8,
      green: 9,
      blue: 10
    });
  });

  it('is told once where both have the same numbers', () => {
    const spot = spotAt(0, 1, photo(2, 2));
    expect(pixelWords(photo(2, 2), photo(2, 2), spot)).toBe(
      'Pixel in row 0, column 1 of both: red 4, green 5, blue 6, of 255.'
    );
  });

  it('is told with the difference where they were fitted otherwise', () => {
    const spot = spotAt(1, 1, photo(2, 2));
    expect(pixelWords(photo(2, 2), photo(4, 4, 3), spot)).toBe(
      'Pixel in row 1, column 1: red 12, green 13, blue 14, of 255; in the second row 3, column 3, 63, 64, 65; second − first +51, +51, +51.'
    );
  });
});
