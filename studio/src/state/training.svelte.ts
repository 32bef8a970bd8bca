/** One run as it learns: what is known of it beforehand, and its log as far as it has come. */
import { refusal, type Refused } from '../api/ask';
import { api, type Steering } from '../api/client';
import { follow } from '../api/events';
import type { LogEvent, Photo, RunDetail } from '../api/types';
import { isLive, newest, nothing, phase, read, type History, type Phase } from './history';

/** A log of thousands of lines arrives at once: lines are read together, some times a second. */
const pause_ms = 60;

export class Training {
  readonly run: string;
  detail = $state.raw<RunDetail | null>(null);
  history = $state.raw<History>(nothing);
  /** the watched test photos by id: what they really show */
  photos = $state.raw<ReadonlyMap<string, Photo>>(new Map());
  refused = $state.raw<Refused | null>(null);
  isLost = $state(false);
  isStopping = $state(false);
  isAsking = $state(false);

  /** a process that died leaves a log without an end; then the run's own state says it */
  readonly phase: Phase = $derived.by(() => {
    const said = phase(this.history);
    const state = this.detail?.summary.state;
    const isOver = state === 'stopped' || state === 'failed';
    return isOver && !this.#isFollowing && !this.history.end ? state : said;
  });
  readonly newest = $derived(newest(this.history));

  #isFollowing = $state(false);
  #waiting: LogEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #leave: () => void = () => {};
  #onend: () => void;

  constructor(run: string, onend: () => void = () => {}) {
    this.run = run;
    this.#onend = onend;
  }

  /** Begins to follow the log; the returned function stops that. */
  open(): () => void {
    this.#isFollowing = true;
    this.#leave = follow(this.run, {
      event: (event) => this.#take(event),
      lost: (isLost) => void this.#lose(isLost)
    });
    void this.#learn();
    return () => this.#close();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    try {
      await api.stop(this.run);
      this.refused = null;
    } catch (thrown) {
      this.refused = refusal(thrown);
      this.isStopping = false;
    }
  }

  /** Asks for a pause, its end, or another learning rate; the log tells when it has happened. */
  async steer(wish: Steering): Promise<void> {
    this.isAsking = true;
    try {
      await api.steer(this.run, wish);
      this.refused = null;
    } catch (thrown) {
      this.refused = refusal(thrown);
    } finally {
      this.isAsking = false;
    }
  }

  async #learn(): Promise<void> {
    try {
      const detail = await api.run(this.run);
      this.detail = detail;
      const photos = await Promise.all(detail.watched.map((id) => api.photo(this.run, id)));
      this.photos = new Map(photos.map((photo) => [photo.id, photo]));
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  #take(event: LogEvent): void {
    this.#waiting.push(event);
    this.isLost = false;
    this.#timer ??= setTimeout(() => this.#read(), pause_ms);
  }

  #read(): void {
    this.#timer = undefined;
    this.history = read(this.history, this.#waiting.splice(0));
    if (!this.history.end) return;
    this.#isFollowing = false;
    this.isStopping = false;
    this.#onend();
    void this.#learn();
  }

  /** Asks the run itself when the stream breaks: a run that has ended needs no stream. */
  async #lose(isLost: boolean): Promise<void> {
    this.isLost = isLost && !this.history.end;
    if (!this.isLost) return;
    try {
      this.detail = await api.run(this.run);
      const { state } = this.detail.summary;
      if (!isLive(state)) this.#close();
    } catch (thrown) {
      const refused = refusal(thrown);
      if (refused && refused.status > 0) this.refused = refused; // gone, not only silent
    }
  }

  #close(): void {
    this.#leave();
    this.#isFollowing = false;
    this.isLost = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.history = read(this.history, this.#waiting.splice(0));
  }
}
