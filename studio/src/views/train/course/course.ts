/**
 * The course of a training as numbers to draw and to read: smoothing, axes, what stands at a step.
 *
 * The smoothed loss is an exponential moving average, corrected for its beginning:
 *
 *     m ← w · m + (1 − w) · loss          shown: m / (1 − wⁿ), n losses so far
 */
import type { EpochEvent, StepEvent } from '../../../api/types';
import { compact } from '../../../format/number';
import type { History } from '../../../state/history';

/** Each value smoothed; a gap stays a gap and counts for nothing. A weight of 0 changes nothing. */
export function smoothed(
  values: readonly (number | null)[],
  weight: number
): readonly (number | null)[] {
  let mean = 0;
  let left = 1; // wⁿ
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    left *= weight;
    return mean / (1 - left);
  });
}

/** An axis: where a value stands between 0 (below) and 1 (above), and what is written beside it. */
export interface Scale {
  /** null: not on this axis */
  place: (value: number | null) => number | null;
  ticks: readonly { value: number; text: string }[];
}

/** From 0 to a round number that `most` fits under. */
export function fromZero(most: number, format: (value: number) => string = tick): Scale {
  const wanted = most > 0 && Number.isFinite(most) ? most : 1;
  const power = 10 ** Math.floor(Math.log10(wanted / 4));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => 4 * one >= wanted)!;
  const top = step * Math.ceil(wanted / step - 1e-9);
  const count = Math.round(top / step);
  return {
    place: (value) => (value === null ? null : value / top),
    ticks: Array.from({ length: count + 1 }, (_, i) => ({
      value: i * step,
      text: format(i * step)
    }))
  };
}

/** By powers of ten, as far as the values above 0 reach; ticks at 1, 2 and 5 where they are few. */
export function logarithmic(values: readonly (number | null)[]): Scale {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || !(value > 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0.1, 1];
  const marks = low * 30 < high ? [1] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    all.push(...marks.map((mark) => Number(`${mark}e${power}`)));
  const first = all.findLast((one) => one <= low * (1 + 1e-9)) ?? all[0]!;
  const last = all.find((one) => one >= high * (1 - 1e-9) && one > first) ?? all.at(-1)!;
  const span = Math.log(last / first);
  return {
    place: (value) =>
      value === null || !(value > 0) ? null : Math.log(value / first) / (span || 1),
    ticks: all
      .filter((one) => one >= first && one <= last)
      .map((value) => ({ value, text: tick(value) }))
  };
}

/** 0.05, 2, 5,000: as short as the number is. */
export function tick(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  if (Math.abs(value) < 1e-3) {
    const [mantissa = '', exponent = ''] = value.toExponential(1).split('e');
    return `${Number(mantissa)}e${exponent.replace('-', '−')}`;
  }
  return String(Number(value.toPrecision(3)));
}

/** What is known at a step. */
export interface Reading {
  step: number;
  /** the epoch that the step belongs to */
  epoch: number;
  loss: number | null;
  smoothed: number | null;
  lr: number | null;
  /** the newest epoch that had been judged by then */
  judged: EpochEvent | null;
  /** the epoch of this step where it has ended, else the last one that did */
  during: EpochEvent | null;
}

/** The index of the last item whose step is not beyond `step`; −1: none. */
export function lastUpTo(items: readonly { step: number }[], step: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle]!.step <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function readingAt(
  history: History,
  smooth: readonly (number | null)[],
  asked: number
): Reading | null {
  const { steps, epochs } = history;
  const i = Math.max(0, lastUpTo(steps, asked));
  const here: StepEvent | undefined = steps[i];
  const step = here?.step ?? 0;
  if (!here && epochs.length === 0) return null;
  const epoch = here?.epoch ?? 0;
  const learned = epochs.filter((one) => one.epoch > 0);
  return {
    step,
    epoch,
    loss: here?.loss ?? null,
    smoothed: smooth[i] ?? null,
    lr: here?.lr ?? null,
    judged: epochs[lastUpTo(epochs, step)] ?? null,
    during: learned.find((one) => one.epoch === epoch) ?? learned.at(-1) ?? null
  };
}

/** One row of a heat strip: a layer and its value in every epoch from the first on. */
export interface Row {
  name: string;
  values: readonly (number | null)[];
}

/** Every layer's own number, epoch by epoch. */
export function rows(
  epochs: readonly EpochEvent[],
  value: (layer: EpochEvent['layers'][number]) => number | null
): Row[] {
  const learned = epochs.filter((one) => one.epoch > 0);
  // logs that were written before there were layers in them have none
  const names = [...new Set(learned.flatMap((one) => (one.layers ?? []).map(({ name }) => name)))];
  return names.map((name) => ({
    name,
    values: learned.map((one) => {
      const layer = (one.layers ?? []).find((each) => each.name === name);
      return layer ? value(layer) : null;
    })
  }));
}

/** The largest of some numbers and 0. */
export function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** The smallest and the largest number above 0 of all rows; null: there is none. */
export function extremes(all: readonly Row[]): readonly [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { values } of all)
    for (const value of values) {
      if (value === null || !(value > 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return low <= high ? [low, high] : null;
}

/** Where a number stands between two others, by its logarithm: 0.06 (never quite pale) … 1. */
export function heat(value: number | null, [low, high]: readonly [number, number]): number {
  if (value === null || !(value > 0)) return 0;
  const share = high > low ? Math.log(value / low) / Math.log(high / low) : 1;
  return 0.06 + 0.94 * Math.min(1, Math.max(0, share));
}

/** 0.0123, 1.2e−5: three digits. */
export function three(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) return value.toExponential(2).replace('-', '−').replace('+', '');
  return size >= 100 ? compact(value, 1) : Number(value.toPrecision(3)).toString();
}
