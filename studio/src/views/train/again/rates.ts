/**
 * A range test of learning rates as numbers to draw and to read: the loss over the rate, by powers
 * of ten, with the rate that is suggested, the steepest place and the end marked.
 */
import type { RangeTestEnded, TrialEvent } from '../../../api/types';
import { fixed } from '../../../format/number';
import { lossAxis, type Axis, type Frame } from '../../../marks/curve';
import { tick } from '../course/course';

/** The two digits that a rate is told with, as a number: 0.031, 2.5. */
export const rounded = (rate: number): number => Number(rate.toPrecision(2));

/** … and as text: 0.031, 3.1e−5. */
export const rateText = (rate: number): string => tick(rounded(rate));

export const lossText = (loss: number | null): string =>
  loss === null ? 'not a number' : fixed(loss, 3);

/** Where a rate stands between the edges of the frame, by its logarithm. */
export function alongRates(
  rate: number,
  [lowest, highest]: readonly [number, number],
  { left, right }: Frame
): number {
  return left + (Math.log(rate / lowest) / Math.log(highest / lowest)) * (right - left);
}

/** The powers of ten from the lowest to the highest rate. */
export function powers([lowest, highest]: readonly [number, number]): number[] {
  const first = Math.ceil(Math.log10(lowest) - 1e-9);
  const last = Math.floor(Math.log10(highest) + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(`1e${first + i}`));
}

/**
 * The axis of the loss: that of every training with so many classes, so that it is there before the
 * first trial and stays; a network that begins with more gets so much more at its first trial.
 */
export function axisOf(numClasses: number, trials: readonly TrialEvent[]): Axis {
  const usual = lossAxis(numClasses);
  const first = trials[0]?.smoothed ?? 0;
  if (1.2 * first <= usual.high) return usual;
  return lossAxis(Math.exp((1.2 * first) / 1.5));
}

export interface RateMark {
  kind: 'suggested' | 'steepest' | 'diverged';
  rate: number;
  /** stands beside its line */
  text: string;
}

/** What the finished test says; the suggestion may be the steepest place itself. */
export function marksOf(end: RangeTestEnded | null): RateMark[] {
  if (end?.state !== 'finished') return [];
  const all = [
    ['suggested', end.suggested, 'suggested'],
    ['steepest', end.steepest, 'falls fastest'],
    ['diverged', end.diverged, 'runs away']
  ] as const;
  return all.flatMap(([kind, rate, words]) =>
    rate === null ? [] : [{ kind, rate, text: `${words} ${rateText(rate)}` }]
  );
}

/** What follows, in whole sentences; the same numbers as the marks. */
export function sentence(end: RangeTestEnded): string {
  const { suggested, steepest, diverged } = end;
  if (suggested === null)
    return 'The loss never fell: more photos, or another network, may help. Nothing is suggested.';
  const falls = steepest === null ? '' : `The loss falls fastest at ${rateText(steepest)}. `;
  const bears =
    diverged === null
      ? 'No rate was too high. '
      : `It runs away at ${rateText(diverged)}, and a tenth of that, ${rateText(diverged / 10)}, is the most to try. `;
  return `${falls}${bears}Suggested: ${rateText(suggested)}.`;
}

/** How far the test is. */
export function progressText(trials: readonly TrialEvent[], steps: number | null): string {
  const last = trials.at(-1);
  if (steps === null) return 'Reading the photos';
  if (!last) return `Making a network to try ${steps} rates on`;
  return `Trial ${last.step} of at most ${steps}, at a rate of ${rateText(last.rate)}`;
}

/** One trial in words. */
export const trialText = (trial: TrialEvent): string =>
  `rate ${rateText(trial.rate)}: smoothed loss ${lossText(trial.smoothed)}, of its batch ${lossText(trial.loss)}`;
