/** Shows the epochs of a finished run one after the other, as they came. */

const pause_ms = 420;

export class Replay {
  /** index of the epoch that is shown; null: not replaying */
  at = $state<number | null>(null);
  isOn = $state(false);
  #length: () => number;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(length: () => number) {
    this.#length = length;
  }

  /** Starts, pauses where it is, or goes on from there. */
  toggle(): void {
    if (this.isOn) {
      this.#pause();
      return;
    }
    this.isOn = true;
    this.at ??= 0;
    this.#timer = setInterval(() => this.#next(), pause_ms);
  }

  stop(): void {
    this.#pause();
    this.at = null;
  }

  #next(): void {
    if (this.at !== null && this.at + 1 < this.#length()) this.at += 1;
    else this.stop();
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.isOn = false;
  }
}
