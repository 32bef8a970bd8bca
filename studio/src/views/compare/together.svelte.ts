/** Both trainings by one slider: the moments of two runs at the same epoch. */
import { untrack } from 'svelte';
import { api } from '../../api/client';
import type { MomentMessage } from '../../api/types';
import { afterPaint } from '../../state/paint';
import type { Compare } from './compare.svelte';
import { notches, notchOf, type Notch } from './notches';

const settled_ms = 80; // while a hand pulls, only the place where it rests is asked for
const pause_ms = 250; // between two notches at least

type Moments = readonly MomentMessage[];

export class Together {
  #compare: Compare;

  /** of the first and the second; empty until they are there, and for what kept none */
  moments = $state.raw<readonly [Moments, Moments]>([[], []]);
  /** whether both have said what they kept */
  isKnown = $state(false);
  isPlaying = $state(false);
  #pulled = $state.raw<number | null>(null);
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(compare: Compare) {
    this.#compare = compare;
  }

  /** Two moments of one run have no epoch in common. */
  notches: readonly Notch[] = $derived.by(() =>
    this.#compare.run === this.#compare.other ? [] : notches(...this.moments)
  );
  isThere: boolean = $derived.by(() => this.notches.length > 1);
  index: number = $derived.by(() => {
    const { step, otherStep } = this.#compare;
    return this.#pulled ?? notchOf(this.notches, this.moments, [step, otherStep]);
  });
  notch: Notch | null = $derived.by(() => this.notches[this.index] ?? null);
  /** those that are looked at, or will be when they are there */
  at: readonly (MomentMessage | undefined)[] = $derived.by(() =>
    (this.notch?.places ?? []).map((place, side) => this.moments[side]?.[place])
  );
  isNow: boolean = $derived.by(
    () => this.#compare.step === undefined && this.#compare.otherStep === undefined
  );

  move(index: number): void {
    this.#pulled = Math.max(0, Math.min(this.notches.length - 1, index));
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settle(), settled_ms);
  }

  /** From the beginning where it stands at the end. */
  toggle(): void {
    if (this.isPlaying) return this.pause();
    this.isPlaying = true;
    if (this.index >= this.notches.length - 1) this.move(0);
    else this.goOn();
  }

  pause(): void {
    this.isPlaying = false;
  }

  /** Back to both as they are. */
  now(): void {
    this.pause();
    this.#compare.ask({ step: undefined, other_step: undefined });
  }

  /** Called from effects: the next one, once this one is there and drawn. */
  goOn(): void {
    const { isShown, refused, unmatched } = this.#compare;
    untrack(() => {
      if (!this.isPlaying) return;
      const { index } = this;
      if (refused || unmatched || index >= this.notches.length - 1) this.pause();
      else if (isShown && this.#pulled === null)
        afterPaint(() =>
          setTimeout(() => {
            if (this.isPlaying && this.index === index) this.move(index + 1);
          }, pause_ms)
        );
    });
  }

  async load(signal: AbortSignal): Promise<void> {
    const { run, other } = this.#compare;
    const [first, second] = await Promise.all([told(run, signal), told(other, signal)]);
    if (signal.aborted) return;
    this.moments = [first, second];
    this.isKnown = true;
  }

  leave(): void {
    this.pause();
    clearTimeout(this.#settling);
  }

  #settle(): void {
    const [first, second] = this.at;
    this.#pulled = null;
    if (first && second)
      this.#compare.ask({ step: String(first.step), other_step: String(second.step) });
  }
}

/** Those that can be looked at; none is an answer too. */
async function told(run: string, signal: AbortSignal): Promise<Moments> {
  try {
    const { is_whole, moments } = await api.moments(run, signal);
    return is_whole ? moments : [];
  } catch {
    return [];
  }
}
