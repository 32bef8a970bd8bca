/**
 * What the log of a run says, read event by event.
 *
 * A run that goes on after it was killed writes the steps after its last checkpoint a second time.
 * The later line wins: whatever an earlier attempt wrote from that step (or epoch) on is dropped,
 * so that every step and every epoch stands here once, in order.
 */
import type {
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  LogEvent,
  PausedEvent,
  RunSummary,
  StartedEvent,
  SteeredEvent,
  StepEvent
} from '../api/types';

export interface History {
  readonly started: StartedEvent | null;
  readonly steps: readonly StepEvent[];
  readonly epochs: readonly EpochEvent[];
  readonly checkpoint: CheckpointEvent | null;
  /** where the learning rate was turned by hand, in the order of the steps */
  readonly turns: readonly SteeredEvent[];
  /** null while training does not hold */
  readonly pause: PausedEvent | null;
  /** sentences for the reader, oldest first */
  readonly notes: readonly string[];
  /** null while the run goes on */
  readonly end: EndEvent | null;
}

export type Phase = 'reading' | 'learning' | 'paused' | 'stopped' | 'finished' | 'failed';

/** Whether any of a run was trained or judged. */
export const hasBegun = (run: { epoch: number; train_seconds: number }): boolean =>
  run.epoch > 0 || run.train_seconds > 0;

/** Whether a process has the run in hand. */
export function isLive(state: RunSummary['state']): boolean {
  return state === 'waiting' || state === 'training' || state === 'paused';
}

export const nothing: History = {
  started: null,
  steps: [],
  epochs: [],
  checkpoint: null,
  turns: [],
  pause: null,
  notes: [],
  end: null
};

/** The history with more events; the one given is left as it was. */
export function read(history: History, events: readonly LogEvent[]): History {
  if (events.length === 0) return history;
  const next = {
    ...history,
    steps: [...history.steps],
    epochs: [...history.epochs],
    turns: [...history.turns],
    notes: [...history.notes]
  };
  for (const event of events) {
    if (event.kind === 'note') {
      if (!next.notes.includes(event.text)) next.notes.push(event.text); // a log can be read again
    } else if (event.kind === 'end') {
      next.end = event;
      next.pause = null;
    } else {
      next.end = null;
      next.pause = event.kind === 'paused' ? event : null;
      if (event.kind === 'started') next.started = event;
      else if (event.kind === 'step') replaceFrom(next.steps, event, (one) => one.step);
      else if (event.kind === 'epoch') replaceFrom(next.epochs, event, (one) => one.epoch);
      else if (event.kind === 'steered') replaceFrom(next.turns, event, (one) => one.step);
      else if (event.kind === 'checkpoint') next.checkpoint = event;
    }
  }
  return next;
}

function replaceFrom<T>(list: T[], item: T, place: (item: T) => number): void {
  while (list.length > 0 && place(list.at(-1)!) >= place(item)) list.pop();
  list.push(item);
}

export function phase(history: History): Phase {
  switch (history.end?.state) {
    case 'finished':
    case 'stopped':
    case 'failed':
      return history.end.state;
    default:
      if (history.pause) return 'paused';
      return history.started ? 'learning' : 'reading';
  }
}

/** The newest epoch that was judged; epoch 0 is the untrained network. */
export function newest(history: History): EpochEvent | null {
  return history.epochs.at(-1) ?? null;
}

/** Steps of one epoch; null before the log has begun. */
export function stepsPerEpoch({ started }: History): number | null {
  return started && started.epochs > 0 ? started.steps / started.epochs : null;
}

/** Share of all steps that are done, 0..1. */
export function progress(history: History): number {
  const { started, steps, epochs, end } = history;
  if (!started || started.steps === 0) return 0;
  if (end?.state === 'finished') return 1;
  const done = Math.max(steps.at(-1)?.step ?? 0, epochs.at(-1)?.step ?? 0);
  return Math.min(1, done / started.steps);
}

/** The epoch being learned, 1-based; the last one learned when the run has ended. */
export function currentEpoch(history: History): number {
  const learned = newest(history)?.epoch ?? 0;
  const begun = history.steps.at(-1)?.epoch ?? 0;
  return Math.max(learned, begun);
}

/** Fewer steps than this say too little about the pace. */
const enough = 4;

/**
 * Seconds until the end, at the pace of the steps done so far; null while that is unknown.
 * Evaluation is part of the pace, since `elapsed_s` counts it.
 */
export function secondsLeft(history: History): number | null {
  const { started, steps } = history;
  const last = steps.at(-1);
  if (!started || !last || last.step < enough || history.end) return null;
  return (last.elapsed_s / last.step) * (started.steps - last.step);
}

/** Index of the largest value: what the network says. */
export function winner(probabilities: readonly number[]): number {
  return probabilities.reduce((best, p, i) => (p > probabilities[best]! ? i : best), 0);
}

/** The probability of one class for one watched photo, epoch by epoch; null where it is unknown. */
export function trail(epochs: readonly EpochEvent[], photo: string, place: number) {
  return epochs.map(
    ({ watched }) => watched.find((one) => one.photo === photo)?.probabilities[place] ?? null
  );
}

/** Largest weight, up to its sign, of the first layer's kernels in all epochs: one scale for all. */
export function kernelExtent(epochs: readonly EpochEvent[]): number {
  let extent = 0;
  for (const { kernels } of epochs)
    for (const value of kernels.flat(3)) extent = Math.max(extent, Math.abs(value));
  return extent;
}
