/** What each panel of the course draws, and what it says at the step that is read. */
import type { EpochEvent } from '../../../api/types';
import { percent } from '../../../format/number';
import type { History } from '../../../state/history';
import { extremes, fromZero, heat, logarithmic, rows, three } from './course';
import type { Reading, Scale } from './course';

export const timeParts = ['input', 'forward', 'backward', 'update', 'evaluation', 'saving'];

/** Seconds of an epoch's parts, in their order. */
export const stacked = (epoch: EpochEvent): number[] =>
  timeParts.map((part) => epoch.time_s[part] ?? 0);

export function lossLines(
  history: History,
  smooth: readonly (number | null)[],
  reading: Reading | null,
  weight: number,
  scale: Scale
) {
  const every = history.steps.map(({ step, loss }) => ({ x: step, y: scale.place(loss) }));
  const said = reading && reading.loss === null && reading.step > 0 ? 'NaN' : three(reading?.loss);
  const raw = { name: 'every step', look: 'raw' as const, points: every, said };
  const test = {
    name: 'test',
    look: 'main' as const,
    points: history.epochs.map((one) => ({ x: one.step, y: scale.place(one.test_loss) })),
    said: three(reading?.judged?.test_loss),
    hasDots: true
  };
  if (weight === 0) return [raw, test];
  const points = history.steps.map(({ step }, i) => ({
    x: step,
    y: scale.place(smooth[i] ?? null)
  }));
  const mean = { name: 'smoothed', look: 'side' as const, points, said: three(reading?.smoothed) };
  return [raw, mean, test];
}

export function accuracyLines(history: History, reading: Reading | null, scale: Scale) {
  const over = (value: (epoch: EpochEvent) => number | null) =>
    history.epochs.map((one) => ({ x: one.step, y: scale.place(value(one)) }));
  const judged = reading?.judged;
  return [
    {
      name: 'training',
      look: 'side' as const,
      points: over((one) => one.train_accuracy),
      said: percent(judged?.train_accuracy),
      hasDots: true
    },
    {
      name: 'test',
      look: 'main' as const,
      points: over((one) => one.test_accuracy),
      said: percent(judged?.test_accuracy),
      hasDots: true
    }
  ];
}

/** By powers of ten, or from zero to above all but a few wild batches, which would press the others flat. */
export function scaleOfLoss(
  history: History,
  smooth: readonly (number | null)[],
  isLog: boolean
): Scale {
  const all = [...smooth, ...history.epochs.map(({ test_loss }) => test_loss)];
  if (isLog) return logarithmic(all);
  const known = all.filter((one) => one !== null).toSorted((a, b) => a - b);
  return fromZero((known[Math.floor(0.995 * (known.length - 1))] ?? 1) * 1.05);
}

const strips = [
  ['Gradient norms', 'mean over the epoch’s steps', 'gradient_norm'],
  ['Size of an update', 'share of the weights’ size, last step of the epoch', 'update_share']
] as const;

/** The strips of layers; `place` is the epoch that is read among those that were learned. */
export function stripsOf(history: History, place: number) {
  return strips.map(([title, unit, field]) => {
    const all = rows(history.epochs, (layer) => layer[field]);
    const ends = extremes(all) ?? ([0, 0] as const);
    return {
      title,
      unit,
      ends: [three(ends[0]), three(ends[1])] as const,
      rows: all.map(({ name, values }) => ({
        name,
        shares: values.map((value) => heat(value, ends)),
        said: three(values[place])
      }))
    };
  });
}
