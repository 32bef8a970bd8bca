/** The trials of a weight that was moved: which one is shown first, and digits below each other. Pure. */
import type { WeightTrialMessage } from '../../../api/types';

/** The largest step of at most a thousandth that crosses no corner; if all do, the smallest. */
export function bestTrial(trials: readonly WeightTrialMessage[]): WeightTrialMessage | undefined {
  const fine = trials.filter(({ step }) => step < 0.002);
  return fine.find(({ kinks }) => kinks === 0) ?? trials.at(-1);
}

/** Numbers as text, with figure spaces before them, so that their points stand below each other. */
export function atPoint(shown: readonly string[]): string[] {
  const before = (text: string) => (text.includes('.') ? text.indexOf('.') : text.length);
  const most = Math.max(0, ...shown.map(before));
  return shown.map((text) => '\u2007'.repeat(most - before(text)) + text);
}
