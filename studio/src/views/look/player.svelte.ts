/** Moves the window by itself: play, pause, step, faster, slower. */

const speeds = [1, 2, 4, 8, 16, 32]; // cells per second

export class Player {
  isPlaying = $state(false);
  #speed = $state(2);
  #timer: ReturnType<typeof setInterval> | undefined;
  #advance: () => void;

  constructor(advance: () => void) {
    this.#advance = advance;
  }

  /** cells per second */
  get speed(): number {
    return speeds[this.#speed]!;
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play(): void {
    this.isPlaying = true;
    clearInterval(this.#timer);
    this.#timer = setInterval(this.#advance, 1000 / this.speed);
  }

  pause(): void {
    this.isPlaying = false;
    clearInterval(this.#timer);
  }

  step(): void {
    this.pause();
    this.#advance();
  }

  /** One notch faster (1) or slower (−1). */
  faster(by: 1 | -1): void {
    this.#speed = Math.max(0, Math.min(speeds.length - 1, this.#speed + by));
    if (this.isPlaying) this.play();
  }
}
