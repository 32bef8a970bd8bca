/** One slider through two trainings: the moments of both at the same epoch. Pure. */
import type { MomentMessage } from '../../api/types';

export interface Notch {
  /** epochs that were learned, from 0 */
  epochs: number;
  /** places of the newest moments of both up to there */
  places: readonly [number, number];
}

const same = 1e-6; // epochs

/** How far each moment is, in epochs; a run's last moment ends the epoch that it lies in. */
export function epochsOf(moments: readonly MomentMessage[]): number[] {
  const last = moments.at(-1);
  const each = last && last.epoch > 0 ? last.step / last.epoch : 1;
  return moments.map(({ step }) => step / each);
}

/** Every epoch at which either of the two has a moment. */
export function notches(
  first: readonly MomentMessage[],
  second: readonly MomentMessage[]
): Notch[] {
  if (!first.length || !second.length) return [];
  const sides = [epochsOf(first), epochsOf(second)] as const;
  const all = [...sides[0], ...sides[1]].sort((a, b) => a - b);
  const apart = all.filter((at, i) => i === 0 || at - all[i - 1]! > same);
  const newest = (side: readonly number[], at: number) =>
    Math.max(
      0,
      side.findLastIndex((one) => one <= at + same)
    );
  return apart.map((epochs) => ({
    epochs,
    places: [newest(sides[0], epochs), newest(sides[1], epochs)]
  }));
}

/** The notch that shows these steps; where there is none, the one whose first lies nearest. */
export function notchOf(
  all: readonly Notch[],
  moments: readonly [readonly MomentMessage[], readonly MomentMessage[]],
  steps: readonly [number | undefined, number | undefined]
): number {
  const [one, other] = steps.map((step, side) => step ?? moments[side]!.at(-1)?.step ?? 0);
  let best = all.length - 1;
  let least = Infinity;
  all.forEach(({ places: [first, second] }, i) => {
    const away = Math.abs(moments[0][first]!.step - one!);
    const far = Math.abs(moments[1][second]!.step - other!);
    const apart = away + (away === 0 && far === 0 ? 0 : 1e-3 * far + same);
    if (apart < least) [best, least] = [i, apart];
  });
  return best;
}
