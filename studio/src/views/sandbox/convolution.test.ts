import { describe, expect, it } from 'vitest';
import {
  convolve,
  fills,
  nearestCell,
  outputSize,
  padded,
  paddedSize,
  seenByTwo,
  span,
  unreached,
  type Fill,
  type Spec
} from './convolution';
import { against, ranges } from './limits';

const range = (least: number, most: number) =>
  Array.from({ length: most - least + 1 }, (_, i) => least + i);

/** Every combination of settings that goes together. */
const specs: Spec[] = range(...ranges.size).flatMap((size) =>
  range(...ranges.kernel).flatMap((kernel) =>
    range(0, kernel - 1).flatMap((padding) =>
      range(...ranges.stride).flatMap((stride) =>
        range(...ranges.dilation).flatMap((dilation) =>
          fills
            .map((fill) => ({ size, kernel, padding, fill, stride, dilation }))
            .filter((spec) => against(spec, 16) === null)
        )
      )
    )
  )
);
const some = specs.filter((_, i) => i % 37 === 0);

let state = 5; // a small linear generator: the same numbers every time
const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
const random = (length: number, of: () => number) => Array.from({ length }, of);
const whole = () => Math.floor(next() * 21) - 10;

/** Where the windows begin that fit, found by trying every place. */
const starts = (spec: Spec) =>
  range(0, paddedSize(spec) - 1).filter(
    (at) => at % spec.stride === 0 && at + span(spec) <= paddedSize(spec)
  );

/** The padded line as text books write it: a mirror that does not repeat the edge, or the edge again. */
function line(values: number[], padding: number, fill: Fill): number[] {
  if (fill === 'zeros')
    return [...Array<number>(padding).fill(0), ...values, ...Array<number>(padding).fill(0)];
  if (fill === 'replicate')
    return [
      ...Array<number>(padding).fill(values[0]!),
      ...values,
      ...Array<number>(padding).fill(values.at(-1)!)
    ];
  const mirrored = [...values].reverse();
  const before = mirrored.slice(0, -1);
  return [...before.slice(before.length - padding), ...values, ...mirrored.slice(1, 1 + padding)];
}

describe('the output', () => {
  it('has as many cells as windows fit, for every combination there is', () => {
    expect(specs.length).toBeGreaterThan(5000);
    for (const spec of specs) expect(outputSize(spec)).toBe(starts(spec).length);
  });

  it('is the sum of the padded input, shifted and scaled by each weight, then thinned out', () => {
    for (const spec of some) {
      const { size, kernel, padding, fill, stride, dilation } = spec;
      const values = random(size * size, whole);
      const weights = random(kernel * kernel, whole);
      const rows = range(0, size - 1).map((y) => values.slice(y * size, (y + 1) * size));
      const wide = rows.map((row) => line(row, padding, fill));
      const columns = range(0, wide[0]!.length - 1).map((x) =>
        line(
          wide.map((row) => row[x]!),
          padding,
          fill
        )
      );
      const at = (y: number, x: number) => columns[x]?.[y] ?? 0;
      const side = paddedSize(spec);
      const all = range(0, side - 1).map(() => Array<number>(side).fill(0));
      weights.forEach((weight, i) => {
        const [dy, dx] = [Math.floor(i / kernel) * dilation, (i % kernel) * dilation];
        all.forEach((row, y) => row.forEach((_, x) => (row[x]! += weight * at(y + dy, x + dx))));
      });
      const last = side - span(spec);
      const kept = range(0, last).filter((place) => place % stride === 0);
      const wanted = kept.flatMap((y) => kept.map((x) => all[y]![x]!));
      expect(convolve(values, weights, spec)).toEqual(wanted);
    }
  });

  it('of a single 1 as kernel is the input itself', () => {
    const spec: Spec = { size: 7, kernel: 3, padding: 1, fill: 'zeros', stride: 1, dilation: 1 };
    const values = random(49, whole);
    expect(convolve(values, [0, 0, 0, 0, 1, 0, 0, 0, 0], spec)).toEqual(values);
  });
});

describe('the padding', () => {
  it('is set as NumPy sets it', () => {
    // numpy.pad([1, 2, 3, 4, 5], 2, mode) for constant, reflect, edge: the middle row of the square
    const row = (fill: Fill) => {
      const spec: Spec = { size: 5, kernel: 3, padding: 2, fill, stride: 1, dilation: 1 };
      const ground = padded(
        range(0, 24).map((i) => 1 + (i % 5)),
        spec
      );
      return ground.slice(4 * 9, 5 * 9);
    };
    expect(row('zeros')).toEqual([0, 0, 1, 2, 3, 4, 5, 0, 0]);
    expect(row('reflect')).toEqual([3, 2, 1, 2, 3, 4, 5, 4, 3]);
    expect(row('replicate')).toEqual([1, 1, 1, 2, 3, 4, 5, 5, 5]);
  });
});

describe('what is never read', () => {
  it('is what no window touches when each is laid down', () => {
    for (const spec of specs) {
      const touched = new Set(
        starts(spec).flatMap((at) => range(0, spec.kernel - 1).map((i) => at + i * spec.dilation))
      );
      const missed = range(0, paddedSize(spec) - 1).filter((i) => !touched.has(i));
      const { behind, between } = unreached(spec);
      expect([...behind, ...between].sort((a, b) => a - b)).toEqual(missed);
      expect(behind.length).toBe((paddedSize(spec) - span(spec)) % spec.stride);
    }
  });
});

describe('two layers', () => {
  it('see what the windows of a window cover', () => {
    for (const spec of some) {
      const cells = [0, (spec.kernel - 1) * spec.dilation]; // first and last cell that the second one reads
      const pixels = cells.flatMap((cell) => [
        cell * spec.stride,
        cell * spec.stride + (spec.kernel - 1) * spec.dilation
      ]);
      expect(seenByTwo(spec)).toBe(Math.max(...pixels) - Math.min(...pixels) + 1);
    }
  });
});

describe('the cell nearest to a place', () => {
  it('has a window whose middle is no further than any other’s', () => {
    for (const spec of some) {
      const middles = starts(spec).map((at) => at + (span(spec) - 1) / 2);
      for (const place of range(0, paddedSize(spec) - 1)) {
        const distances = middles.map((middle) => Math.abs(middle - place));
        expect(distances[nearestCell(place, spec)]).toBe(Math.min(...distances));
      }
    }
  });
});
