/** Learning in slow motion: forwards, loss, backwards, update, again; one sentence each. */
import type { LearningStepMessage, TraceMessage } from '../../../api/types';
import { percent } from '../../../format/number';
import { lossFormula, rateText, type Mode } from './figures';
import type { Learn, Side } from './learn.svelte';
import { named } from './truth';

const each_ms = 4500; // long enough to read a sentence

const phases: readonly { mode: Mode; side?: Side }[] = [
  { mode: 'Forwards' },
  { mode: 'Backwards' },
  { mode: 'Backwards' },
  { mode: 'One step', side: 'difference' },
  { mode: 'One step', side: 'after' }
];
/** a further batch goes through the network that the steps before it left */
const onwards: readonly { mode: Mode; side?: Side }[] = [
  { mode: 'One step', side: 'after' },
  { mode: 'One step', side: 'after' },
  { mode: 'One step', side: 'after' },
  { mode: 'One step', side: 'difference' },
  { mode: 'One step', side: 'after' }
];
const update = 3; // the phase in which a step is taken

export const prefersStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** The likeliest class with its probability, or all labels that are said. */
function said({ classes, is_several: isSeveral }: TraceMessage, shares: readonly number[]): string {
  const best = shares.indexOf(Math.max(...shares));
  if (!isSeveral) return `${classes[best]}, ${percent(shares[best])}`;
  return classes.filter((_, i) => shares[i]! >= 0.5).join(', ') || 'no label';
}

function ofClass(
  trace: TraceMessage,
  truth: string | null,
  step: LearningStepMessage | null
): string {
  const p = trace.probabilities[trace.classes.indexOf(truth ?? '')] ?? 0;
  const shown = lossFormula(p, step?.loss ?? trace.loss ?? -Math.log(p));
  return `it should have said ${truth}, so the loss is −log(${shown.p}) = ${shown.loss}.`;
}

function ofLabels({ classes }: TraceMessage, truth: string | null): string {
  const there = named(truth ?? '').join(', ') || 'no label';
  return `it should have said ${there}; how wrong it is of each label, and the mean over all ${classes.length}.`;
}

/** What is said in each phase; `step` is null until it is known. */
export function captions(
  trace: TraceMessage,
  truth: string | null,
  step: LearningStepMessage | null
): string[] {
  const after = step && (step.loss_after === null ? 'no number' : step.loss_after.toFixed(4));
  return [
    `1. Forwards: the photo goes through the network, which says ${said(trace, trace.probabilities)}.`,
    `2. The loss: ${trace.is_several ? ofLabels(trace, truth) : ofClass(trace, truth, step)}`,
    '3. ← Backwards: from right to left, every number learns how much the loss would grow with it.',
    step
      ? `4. Update: every weight moves against its gradient, at a rate of ${rateText(step.learning_rate)}; this is what changes.`
      : '4. Update: every weight moves against its gradient; this is what changes.',
    step
      ? `5. Again, forwards with the new weights: the loss was ${step.loss.toFixed(4)}, now it is ${after}.`
      : '5. Again, forwards with the new weights.'
  ];
}

/** The same on the batches of the run; `step` is the last one that was taken, `times` how many are asked for. */
export function batchCaptions(
  trace: TraceMessage,
  photos: number | null,
  step: LearningStepMessage | null,
  phase: number
): string {
  const many = photos === null ? 'its photos' : `${photos} photos`;
  const isLater = step !== null && (phase < update ? step.steps > 0 : step.steps > 1);
  const number = (step?.steps ?? 0) + (phase < update ? 1 : 0);
  const turn = isLater && phase < update ? `Step ${number}` : `Step ${Math.max(1, number)}`;
  const shares = isLater && phase < update ? step.probabilities_after : trace.probabilities;
  const batch = step?.batch ?? null;
  const loss = batch?.loss.toFixed(4);
  const after = batch && (batch.loss_after === null ? 'no number' : batch.loss_after.toFixed(4));
  const all = [
    `1. Forwards. ${turn}: ${many} of the run go through together. This one is watched beside them; the network says ${said(trace, shares)}.`,
    `2. The loss: how wrong each of the ${many} is, and of that the mean.`,
    isLater
      ? '3. ← Backwards: every weight learns how much the mean would grow with it: the mean of what each photo pulls.'
      : '3. ← Backwards: every number learns how much the loss would grow with it; the maps show it for this photo, the step takes the mean of all.',
    batch
      ? `4. Update. Step ${step!.steps}: every weight moves against its gradient, at a rate of ${rateText(step!.learning_rate)}; this is what ${step!.steps === 1 ? 'it changes' : 'the steps have changed'}.`
      : '4. Update: every weight moves against its gradient; this is what changes.',
    batch
      ? `5. Again: the loss of the batch was ${loss}, with the new weights it is ${after}. The next batch follows.`
      : '5. Again, with the new weights; the next batch follows.'
  ];
  return all[phase] ?? '';
}

export class Motion {
  /** null: not begun */
  phase = $state<number | null>(null);
  isPlaying = $state(false);
  #timer: ReturnType<typeof setInterval> | undefined;
  #learn: Learn;
  #isLater = $state(false);

  constructor(learn: Learn) {
    this.#learn = learn;
  }

  /** What is said now. */
  caption(trace: TraceMessage): string | undefined {
    const { phase } = this;
    const { steps, truth } = this.#learn;
    if (phase === null) return undefined;
    const step = steps.step?.message ?? null;
    if (steps.batch === 'one') return captions(trace, truth, step)[phase];
    const last = this.#isLater || phase >= update ? step : null;
    return batchCaptions(trace, step?.batch?.photos ?? steps.batchSize, last, phase);
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
    this.#isLater = false;
  }

  #advance(): void {
    const { steps } = this.#learn;
    const isOnBatches = steps.batch === 'run';
    if (this.phase === null && isOnBatches) steps.take(1);
    this.#isLater = isOnBatches && (this.#isLater || this.phase === phases.length - 1);
    this.phase = this.phase === null ? 0 : (this.phase + 1) % phases.length;
    if (this.#isLater && this.phase === update) steps.take(steps.times + 1);
    const { mode, side } = (this.#isLater ? onwards : phases)[this.phase]!;
    this.#learn.turn(mode, 'replace');
    if (side) this.#learn.show(side);
  }
}
