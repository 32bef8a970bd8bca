/** Learning in slow motion: forwards, loss, backwards, update, again; one sentence each. */
import type { LearningStepMessage, TraceMessage } from '../../../api/types';
import { percent } from '../../../format/number';
import { lossFormula, rateText, type Mode } from './figures';
import type { Learn, Side } from './learn.svelte';

const each_ms = 4500; // long enough to read a sentence

const phases: readonly { mode: Mode; side?: Side }[] = [
  { mode: 'Forwards' },
  { mode: 'Backwards' },
  { mode: 'Backwards' },
  { mode: 'One step', side: 'difference' },
  { mode: 'One step', side: 'after' }
];

export const prefersStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** What is said in each phase; `step` is null until it is known. */
export function captions(
  trace: TraceMessage,
  truth: string | null,
  step: LearningStepMessage | null
): string[] {
  const best = trace.probabilities.indexOf(Math.max(...trace.probabilities));
  const p = trace.probabilities[trace.classes.indexOf(truth ?? '')] ?? 0;
  const said = `${trace.classes[best]}, ${percent(trace.probabilities[best])}`;
  const shown = lossFormula(p, step?.loss ?? trace.loss ?? -Math.log(p));
  const after = step && (step.loss_after === null ? 'no number' : step.loss_after.toFixed(4));
  return [
    `1. Forwards: the photo goes through the network, which says ${said}.`,
    `2. The loss: it should have said ${truth}, so the loss is −log(${shown.p}) = ${shown.loss}.`,
    '3. ← Backwards: from right to left, every number learns how much the loss would grow with it.',
    step
      ? `4. Update: every weight moves against its gradient, at a rate of ${rateText(step.learning_rate)}; this is what changes.`
      : '4. Update: every weight moves against its gradient; this is what changes.',
    step
      ? `5. Again, forwards with the new weights: the loss was ${step.loss.toFixed(4)}, now it is ${after}.`
      : '5. Again, forwards with the new weights.'
  ];
}

export class Motion {
  /** null: not begun */
  phase = $state<number | null>(null);
  isPlaying = $state(false);
  #timer: ReturnType<typeof setInterval> | undefined;
  #learn: Learn;

  constructor(learn: Learn) {
    this.#learn = learn;
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else {
      this.isPlaying = true;
      this.#advance();
      this.#timer = setInterval(() => this.#advance(), each_ms);
    }
  }

  pause(): void {
    this.isPlaying = false;
    clearInterval(this.#timer);
  }

  next(): void {
    this.pause();
    this.#advance();
  }

  stop(): void {
    this.pause();
    this.phase = null;
  }

  #advance(): void {
    this.phase = this.phase === null ? 0 : (this.phase + 1) % phases.length;
    const { mode, side } = phases[this.phase]!;
    this.#learn.turn(mode, 'replace');
    if (side) this.#learn.show(side);
  }
}
