/** Where the evidence for a class lies: a dense layer's products, added over all maps, cell by cell. */
import type { TermMessage } from '../../../api/types';
import { extentOf, type Cells } from '../../../scale/raster';

/** null where the terms have no places (a vector before them). */
export function evidence(terms: readonly TermMessage[]): { cells: Cells; extent: number } | null {
  const height = Math.max(0, ...terms.map((term) => term.row)) + 1;
  const width = Math.max(0, ...terms.map((term) => term.column)) + 1;
  if (height * width === 1) return null;
  const values = new Float32Array(height * width);
  for (const term of terms) values[term.row * width + term.column]! += term.product;
  return { cells: { values, offset: 0, width, height }, extent: extentOf(values) };
}
