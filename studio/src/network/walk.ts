/** Arrow keys between units: the neighbour in the same layer, or the same height in the next one. */
import { slotOf, unitAt, unitBox, type Column } from './layout';

export interface Spot {
  column: number;
  unit: number;
}

/** The unit that an arrow key leads to; the same one at the end of the drawing; null for other keys. */
export function walk(columns: readonly Column[], from: Spot, key: string): Spot | null {
  const column = columns[from.column];
  if (!column) return null;
  const last = column.drawn - 1;
  const slot = Math.max(0, slotOf(column, from.unit));
  const inside = (at: number) => ({
    column: from.column,
    unit: unitAt(column, Math.max(0, Math.min(last, at)))
  });
  if (key === 'ArrowUp') return inside(slot - 1);
  if (key === 'ArrowDown') return inside(slot + 1);
  if (key === 'Home') return inside(0);
  if (key === 'End') return inside(last);
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return null;

  // inside a layer of several sub-columns, sideways stays inside
  const step = key === 'ArrowLeft' ? -1 : 1;
  const beside = slot + step * column.rows;
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
  let best = unitAt(column, first);
  let closest = Infinity;
  for (let slot = first; slot < Math.min(column.drawn, first + column.rows); slot++) {
    const unit = unitAt(column, slot);
    const box = unitBox(column, unit)!;
    const distance = Math.abs(box.y + box.height / 2 - y);
    if (distance < closest) [best, closest] = [unit, distance];
  }
  return best;
}
