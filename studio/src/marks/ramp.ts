/** The colour scale itself, from its low end to its high one, with the colours of the maps. */
import { tableIndex } from '../scale/colour';
import { surface } from './surface';

export const ramp = (width: number, height: number, table: Uint32Array) =>
  surface(width, height, (pixels, across, down) => {
    for (let x = 0; x < across; x++) {
      const value = (2 * x + 1) / across - 1;
      for (let y = 0; y < down; y++) pixels[y * across + x] = table[tableIndex(value, 1)]!;
    }
  });
