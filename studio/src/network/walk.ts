/** Arrow keys between units: the neighbour in the same layer, or the same height in the next one. */
import { unitBox, type Column } from './layout';

export interface Spot {
  column: number;
  unit: number;
}

/** The unit that an arrow key leads to; the same one at the end of the drawing; null for other keys. */
export function walk(columns: readonly Column[], from: Spot, key: string): Spot | null {
  const column = columns[from.column];
  if (!column) return null;
  const last = column.drawn - 1;
  const inside = (unit: number) => ({
    column: from.column,
    unit: Math.max(0, Math.min(last, unit))
  });
  if (key === 'ArrowUp') return inside(from.unit - 1);
  if (key === 'ArrowDown') return inside(from.unit + 1);
  if (key === 'Home') return inside(0);
  if (key === 'End') return inside(last);
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return null;

  // inside a layer of several sub-columns, sideways stays inside
  const step = key === 'ArrowLeft' ? -1 : 1;
  const beside = from.unit + step * column.rows;
  if (column.form === 'maps' && beside >= 0 && beside <= last) return inside(beside);
  const next = columns[from.column + step];
  const box = unitBox(column, from.unit);
  if (!next || !box) return from;
  return { column: from.column + step, unit: nearest(next, box.y + box.height / 2, step) };
}

/** The unit whose middle is nearest to a height, in the sub-column that is entered first. */
function nearest(column: Column, y: number, step: 1 | -1): number {
  const subs = Math.max(1, Math.ceil(column.drawn / column.rows));
  const first = step === 1 ? 0 : (subs - 1) * column.rows;
  let best = first;
  let closest = Infinity;
  for (let unit = first; unit < Math.min(column.drawn, first + column.rows); unit++) {
    const box = unitBox(column, unit)!;
    const distance = Math.abs(box.y + box.height / 2 - y);
    if (distance < closest) [best, closest] = [unit, distance];
  }
  return best;
}
