/**
 * One convolution of one small square of numbers, along both axes alike.
 *
 *     span  pixels from a window's first to its last     span = d·(k − 1) + 1
 *     size  cells of the output, on a side               size = ⌊(n + 2p − span) / s⌋ + 1
 *     sees  pixels that a cell of a second layer of      sees = span + (span − 1)·s
 *           the same kind sees, on a side
 *
 * with n input, k kernel, p padding on each side, s stride, d dilation. The kernel is laid on as it
 * stands, not turned round, as neural networks do. Squares are row-major arrays.
 */

export const fills = ['zeros', 'reflect', 'replicate'] as const;
export type Fill = (typeof fills)[number];

export interface Spec {
  /** px on a side */
  readonly size: number;
  readonly kernel: number;
  /** px on each side */
  readonly padding: number;
  /** what stands in the padding */
  readonly fill: Fill;
  readonly stride: number;
  readonly dilation: number;
}

export const span = ({ kernel, dilation }: Spec): number => dilation * (kernel - 1) + 1;

export const paddedSize = ({ size, padding }: Spec): number => size + 2 * padding;

/** 0 or less where the window does not fit. */
export const outputSize = (spec: Spec): number =>
  Math.floor((paddedSize(spec) - span(spec)) / spec.stride) + 1;

/** What a cell of a second layer of the same kind sees of the input, px on a side. */
export const seenByTwo = (spec: Spec): number => span(spec) + (span(spec) - 1) * spec.stride;

/** Which input row (or column) a padded one shows; null for a zero. */
export function source(at: number, { size, padding, fill }: Spec): number | null {
  const i = at - padding;
  if (i >= 0 && i < size) return i;
  if (fill === 'zeros') return null;
  if (fill === 'replicate') return i < 0 ? 0 : size - 1;
  return i < 0 ? -i : 2 * (size - 1) - i;
}

/** The input with its padding around it. */
export function padded(values: readonly number[], spec: Spec): number[] {
  const side = paddedSize(spec);
  return Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [source(Math.floor(i / side), spec), source(i % side, spec)];
    return row === null || column === null ? 0 : values[row * spec.size + column]!;
  });
}

/** Padded rows (or columns) that the window at an output cell reads. */
export const taps = (cell: number, { kernel, stride, dilation }: Spec): number[] =>
  Array.from({ length: kernel }, (_, i) => cell * stride + i * dilation);

/** The numbers under the window at an output cell, row-major. `ground` is padded. */
export function windowAt(ground: readonly number[], row: number, column: number, spec: Spec) {
  const side = paddedSize(spec);
  return taps(row, spec).flatMap((y) => taps(column, spec).map((x) => ground[y * side + x]!));
}

/** Every cell of the output, row-major. */
export function convolve(
  values: readonly number[],
  weights: readonly number[],
  spec: Spec
): number[] {
  const ground = padded(values, spec);
  const side = Math.max(0, outputSize(spec));
  return Array.from({ length: side * side }, (_, i) =>
    windowAt(ground, Math.floor(i / side), i % side, spec).reduce(
      (sum, value, j) => sum + value * weights[j]!,
      0
    )
  );
}

export interface Unreached {
  /** padded rows behind the last window: the division left a rest */
  behind: number[];
  /** padded rows that the windows step over */
  between: number[];
}

/** The padded rows that no window reads; the same numbers for columns. */
export function unreached(spec: Spec): Unreached {
  const cells = Array.from({ length: Math.max(0, outputSize(spec)) }, (_, i) => i);
  const read = new Set(cells.flatMap((cell) => taps(cell, spec)));
  const end = Math.max(-1, ...read);
  const missed = Array.from({ length: paddedSize(spec) }, (_, i) => i).filter((i) => !read.has(i));
  return { behind: missed.filter((i) => i > end), between: missed.filter((i) => i < end) };
}

/** The output row (or column) whose window lies most nearly around a padded one. */
export function nearestCell(at: number, spec: Spec): number {
  const cell = Math.round((at - (span(spec) - 1) / 2) / spec.stride);
  return Math.max(0, Math.min(outputSize(spec) - 1, cell));
}
