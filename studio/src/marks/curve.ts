/** Where the lines, ticks and labels of a curve stand, in pixels; y grows downwards. */

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Point {
  readonly x: number;
  /** null: not a number, the line has a gap here */
  readonly y: number | null;
}

/** Accuracy always stands on 0..100 %, so that two runs can be compared by eye. */
export const shareAxis: Axis = { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1] };

/**
 * The axis of a cross-entropy loss. It is fixed before the first number arrives: guessing evenly
 * among k classes costs ln k, and half as much again leaves room for an untrained network.
 */
export function lossAxis(numClasses: number): Axis {
  const wanted = 1.5 * Math.log(Math.max(2, numClasses));
  const step = [0.25, 0.5, 1, 2].find((one) => wanted / one <= 6) ?? 4;
  const count = Math.ceil(wanted / step);
  const ticks = Array.from({ length: count + 1 }, (_, i) => i * step);
  return { low: 0, high: count * step, ticks };
}

/** Whole numbers from 0 to `last`, 1, 2 or 5 times a power of ten apart, with room for their labels. */
export function wholeTicks(last: number, width: number, room = 44): number[] {
  const most = Math.max(1, Math.floor(width / room));
  let step = 1;
  for (let power = 1; last / step > most; power *= 10) {
    step = [1, 2, 5, 10].map((one) => one * power).find((one) => last / one <= most) ?? 10 * power;
  }
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
}

export function across(x: number, last: number, { left, right }: Frame): number {
  return left + (last > 0 ? x / last : 0) * (right - left);
}

export function up(y: number, { low, high }: Axis, { top, bottom }: Frame): number {
  return bottom - ((y - low) / (high - low)) * (bottom - top);
}

/** An SVG path; a gap where a value is missing. */
export function path(points: readonly Point[]): string {
  let pen = 'M';
  let text = '';
  for (const { x, y } of points) {
    if (y === null) {
      pen = 'M';
    } else {
      text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = 'L';
    }
  }
  return text;
}

/**
 * At most two points for every pixel column, its lowest and its highest in their order: a line
 * through thousands of steps keeps every spike and stays short.
 */
export function thin(points: readonly Point[], width: number): readonly Point[] {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length <= 2 * width) return points;
  const column = (x: number) => Math.floor(((x - first.x) / (last.x - first.x)) * (width - 1));
  const kept: Point[] = [];
  for (let start = 0; start < points.length;) {
    const here = column(points[start]!.x);
    let stop = start;
    while (stop < points.length && column(points[stop]!.x) === here) stop += 1;
    kept.push(...extremes(points.slice(start, stop)));
    start = stop;
  }
  return kept;
}

function extremes(points: readonly Point[]): Point[] {
  const known = points.filter((point) => point.y !== null);
  if (known.length === 0) return points.slice(0, 1);
  const low = known.reduce((best, point) => (point.y! < best.y! ? point : best));
  const high = known.reduce((best, point) => (point.y! > best.y! ? point : best));
  if (low === high) return [low];
  return low.x < high.x ? [low, high] : [high, low];
}

/** Labels at the ends of lines, moved apart until none is nearer than `gap` to the next. */
export function apart(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  order.forEach((i, n) => {
    const before = n > 0 ? placed[order[n - 1]!]! + gap : low;
    placed[i] = Math.max(placed[i]!, before);
  });
  [...order].reverse().forEach((i, n) => {
    const after = n > 0 ? placed[order[order.length - n]!]! - gap : high;
    placed[i] = Math.min(placed[i]!, after);
  });
  return placed;
}

/** The index whose x is nearest; null for an empty list. */
export function nearest(xs: readonly number[], x: number): number | null {
  if (xs.length === 0) return null;
  return xs.reduce((best, one, i) => (Math.abs(one - x) < Math.abs(xs[best]! - x) ? i : best), 0);
}
