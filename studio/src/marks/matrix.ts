/**
 * A confusion matrix as shades and sizes. Rows are what the photo shows, columns what the network
 * said; every row is shaded by its own shares, so that rare and frequent classes compare.
 */

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** More classes than this are drawn as a picture of pixels instead of a table of numbers. */
export const mostNumbered = 24;

/** Each count as a share of its row, 0..1; a row without photos is all zeros. */
export function shares(confusion: readonly (readonly number[])[]): number[][] {
  return confusion.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => (total > 0 ? count / total : 0));
  });
}

/**
 * How much ink a share gets, 0..1. Right answers grow evenly; mistakes are lifted (1 % is already
 * visible), since a matrix is read for its mistakes.
 */
export function ink(share: number, isRight: boolean): number {
  if (share <= 0) return 0;
  return isRight ? 0.1 + 0.8 * share : Math.min(0.95, 0.04 + 1.15 * share ** 0.6);
}

/** A share as the short number that fits a cell: 84, 9, 0.9, 0. Percent of the row. */
export function shortShare(share: number): string {
  const percent = 100 * share;
  if (percent === 0) return '0';
  if (percent < 0.05) return '<0.1';
  return percent < 0.95 ? percent.toFixed(1) : percent.toFixed(0);
}

/** The side of a cell, in px, so that the table fills `width` or scrolls within it. */
export function cellSide(numClasses: number, width: number): number {
  if (numClasses > mostNumbered) return Math.max(3, Math.min(16, width / numClasses));
  return Math.max(34, Math.min(60, Math.floor(width / numClasses)));
}

const strides: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-10, 0],
  PageDown: [10, 0]
};

/** Where a key leads from a cell; null for a key that means nothing here. */
export function walk({ row, column }: Cell, key: string, numClasses: number): Cell | null {
  const inside = (n: number) => Math.max(0, Math.min(numClasses - 1, n));
  if (key === 'Home') return { row, column: 0 };
  if (key === 'End') return { row, column: numClasses - 1 };
  const stride = strides[key];
  return stride ? { row: inside(row + stride[0]), column: inside(column + stride[1]) } : null;
}

/** The mistake with the most photos: where a reader wants to look first. */
export function worstCell(confusion: readonly (readonly number[])[]): Cell | null {
  let worst: Cell | null = null;
  let most = 0;
  confusion.forEach((counts, row) =>
    counts.forEach((count, column) => {
      if (row !== column && count > most) {
        most = count;
        worst = { row, column };
      }
    })
  );
  return worst;
}
