/** The same place in two photos, which are one and may have been fitted to two sizes. */
import type { Pixels } from '../../api/ask';
import { signed } from '../../format/number';

/** 0..1 from the left and from above */
export interface Spot {
  across: number;
  down: number;
}

export interface Pixel {
  row: number;
  column: number;
  /** 0..255 */
  red: number;
  green: number;
  blue: number;
}

type Size = Pick<Pixels, 'width' | 'height'>;

const inside = (at: number, size: number) => Math.max(0, Math.min(size - 1, Math.floor(at * size)));

/** The middle of a pixel; of one beyond the edge, of the pixel at the edge. */
export function spotAt(row: number, column: number, { width, height }: Size): Spot {
  const middle = (at: number, size: number) => (Math.max(0, Math.min(size - 1, at)) + 0.5) / size;
  return { across: middle(column, width), down: middle(row, height) };
}

export function placeOf({ across, down }: Spot, { width, height }: Size): [number, number] {
  return [inside(down, height), inside(across, width)];
}

export function pixelAt(pixels: Pixels, spot: Spot): Pixel {
  const [row, column] = placeOf(spot, pixels);
  const at = 4 * (row * pixels.width + column);
  const [red = NaN, green = NaN, blue = NaN] = pixels.data.subarray(at, at + 3);
  return { row, column, red, green, blue };
}

const colours = ['red', 'green', 'blue'] as const;

/** Both pixels and their difference in words. */
export function pixelWords(first: Pixels, second: Pixels, spot: Spot): string {
  const [one, other] = [pixelAt(first, spot), pixelAt(second, spot)];
  const where = ({ row, column }: Pixel) => `row ${row}, column ${column}`;
  const told = colours.map((colour) => `${colour} ${one[colour]}`).join(', ');
  const isPlace = where(one) === where(other);
  if (isPlace && colours.every((colour) => one[colour] === other[colour]))
    return `Pixel in ${where(one)} of both: ${told}, of 255.`;
  const there = isPlace ? '' : `${where(other)}, `;
  const others = colours.map((colour) => other[colour]).join(', ');
  const by = colours.map((colour) => signed(other[colour] - one[colour], 0)).join(', ');
  return `Pixel in ${where(one)}: ${told}, of 255; in the second ${there}${others}; second − first ${by}.`;
}
