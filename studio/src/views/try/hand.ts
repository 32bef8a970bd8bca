/** The hand that changes a photo: of one network, or of two beside each other. */
import { createContext } from 'svelte';
import type { Pixels } from '../../api/ask';
import type { Change, Colour } from './change';

export interface Hand {
  readonly change: Change;
  /** whether anything differs from the photo as it was */
  readonly isChanged: boolean;
  /** of the photo, in pixels; null until it is there */
  readonly size: { width: number; height: number } | null;
  /** the photo as it is drawn */
  readonly pixels: Pixels | null;
  /** whether that is the photo as it was */
  readonly isOriginal: boolean;
  brush: Colour;
  set(part: Partial<Change>): void;
  stroke(row: number, column: number, colour: Colour): void;
  reset(): void;
}

/** The photo behind the activations of an answer: three planes of numbers from 0 to 255. */
export function photoAfter(
  values: Float32Array,
  offset: number,
  { width, height }: { width: number; height: number }
): Pixels {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let c = 0; c < 3; c++) {
    const from = offset + c * width * height;
    for (let i = 0; i < width * height; i++) data[4 * i + c] = values[from + i]!;
  }
  return { width, height, data };
}

export const [handOf, provideHand] = createContext<Hand>();
