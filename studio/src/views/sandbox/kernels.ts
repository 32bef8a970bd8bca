/** Kernels to begin with, and how one of another size is made of them. Row-major, k × k. */

export const presets = [
  'identity',
  'blur',
  'sharpen',
  'edge horizontal',
  'edge vertical',
  'emboss'
] as const;
export type Preset = (typeof presets)[number];

// Sobel's masks stand for the edges
const threes: Record<Exclude<Preset, 'identity' | 'blur'>, readonly number[]> = {
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  'edge horizontal': [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  'edge vertical': [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  emboss: [-2, -1, 0, -1, 1, 1, 0, 1, 2]
};

/** What is 3 × 3 stands in the middle of a larger kernel, zeros around it; null in a smaller one. */
export function preset(name: Preset, size: number): number[] | null {
  if (name === 'identity') return resized([1], size);
  if (name === 'blur') return Array.from({ length: size * size }, () => 1 / size ** 2);
  return size < 3 ? null : resized(threes[name], size);
}

/** The same kernel, centred on another size: cut off or with zeros around it. */
export function resized(weights: readonly number[], size: number): number[] {
  const from = Math.sqrt(weights.length);
  const shift = Math.floor(size / 2) - Math.floor(from / 2);
  return Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size) - shift, (i % size) - shift];
    const isInside = row >= 0 && column >= 0 && row < from && column < from;
    return isInside ? weights[row * from + column]! : 0;
  });
}

/** Weights that are typed or dragged have four digits after the point, and no more than two before. */
export const rounded = (weight: number): number =>
  Math.max(-99, Math.min(99, Math.round(weight * 1e4) / 1e4)) || 0;
