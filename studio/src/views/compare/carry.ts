/** The same change of a photo that two networks are shown at two sizes. Pure. */
import type { Change, Rectangle, Stroke } from '../try/change';

export interface Size {
  width: number;
  height: number;
}

export const mostPainted = 4096; // pixels that a question may have

/** What depends on places and lengths, carried over to a photo of another size. */
export function carryChange(change: Change, from: Size, to: Size): Change {
  const [down, across] = [to.height / from.height, to.width / from.width];
  if (down === 1 && across === 1) return change;
  const [rows, columns] = change.shift;
  return {
    ...change,
    cover: change.cover && carryRectangle(change.cover, from, to),
    shift: [Math.round(rows * down), Math.round(columns * across)],
    blur: change.blur * Math.sqrt(down * across)
  };
}

/** At least a pixel of it stays. */
function carryRectangle([top, left, bottom, right]: Rectangle, from: Size, to: Size): Rectangle {
  const row = (at: number) => Math.round((at * to.height) / from.height);
  const column = (at: number) => Math.round((at * to.width) / from.width);
  const [first, start] = [row(top), column(left)];
  return [first, start, Math.max(first + 1, row(bottom)), Math.max(start + 1, column(right))];
}

/** Every pixel whose middle lies in a painted one has its colour. */
export function carryPaint(paint: readonly Stroke[], from: Size, to: Size): Stroke[] {
  if (from.width === to.width && from.height === to.height) return [...paint];
  const colours = new Map(paint.map((stroke) => [`${stroke[0]} ${stroke[1]}`, stroke]));
  if (!colours.size) return [];
  const found: Stroke[] = [];
  for (let row = 0; row < to.height; row++) {
    for (let column = 0; column < to.width; column++) {
      const source = [
        Math.floor(((row + 0.5) * from.height) / to.height),
        Math.floor(((column + 0.5) * from.width) / to.width)
      ];
      const stroke = colours.get(source.join(' '));
      if (stroke) found.push([row, column, stroke[2], stroke[3], stroke[4]]);
    }
  }
  return found;
}
