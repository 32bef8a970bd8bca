/** A square of a photo's pixels, of one colour or of all three as grey: whole numbers 0..255. */
import type { Pixels } from '../../api/ask';

export const channels = ['grey', 'red', 'green', 'blue'] as const;
export type Channel = (typeof channels)[number];

/** px from the photo's upper left corner */
export interface Corner {
  row: number;
  column: number;
}

// ITU-R BT.601, as image editors make grey: in thousandths
const shares = [299, 587, 114] as const;

export function pixelOf(data: ArrayLike<number>, at: number, channel: Channel): number {
  if (channel !== 'grey') return data[at + channels.indexOf(channel) - 1]!;
  return Math.round(shares.reduce((sum, share, c) => sum + share * data[at + c]!, 0) / 1000);
}

/** The square lies inside the photo. */
export function inside({ row, column }: Corner, size: number, { width, height }: Pixels): Corner {
  const at = (i: number, side: number) => Math.max(0, Math.min(side - size, i));
  return { row: at(row, height), column: at(column, width) };
}

/** Row-major, size × size. */
export function cropped(pixels: Pixels, corner: Corner, size: number, channel: Channel): number[] {
  return Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [corner.row + Math.floor(i / size), corner.column + (i % size)];
    return pixelOf(pixels.data, 4 * (row * pixels.width + column), channel);
  });
}
