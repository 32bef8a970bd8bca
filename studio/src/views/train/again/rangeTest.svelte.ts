/** The range test of a run's learning rates: begun here or found going on, and followed to its end. */
import { refusal, Refused } from '../../../api/ask';
import { api } from '../../../api/client';
import { followTest } from '../../../api/rangeTest';
import type {
  RangeTestEnded,
  RangeTestEvent,
  RangeTestStarted,
  TrialEvent
} from '../../../api/types';

const gone = {
  what: 'This range test is not there any more.',
  why: 'The server was started anew in the meantime, and keeps none on the disk.',
  fix: 'Begin another one.'
};

export class RangeTest {
  readonly run: string;
  /** there is one, going on or ended */
  isThere = $state(false);
  isStopping = $state(false);
  /** what will be tried; null while the photos are read */
  started = $state.raw<RangeTestStarted | null>(null);
  trials = $state.raw<readonly TrialEvent[]>([]);
  end = $state.raw<RangeTestEnded | null>(null);
  refused = $state.raw<Refused | null>(null);
  readonly isTrying = $derived(this.isThere && this.end === null);

  #leave: () => void = () => {};

  constructor(run: string) {
    this.run = run;
  }

  #begun: Promise<unknown> | null = null;

  /** Finds a test that was begun before; the returned function stops listening, not the test. */
  open(): () => void {
    void this.#find();
    return () => this.#leave();
  }

  async start(): Promise<void> {
    this.#forget();
    this.isThere = true;
    try {
      this.#begun = api.startRangeTest(this.run);
      await this.#begun;
      this.#follow();
    } catch (thrown) {
      this.isThere = false;
      this.refused = refusal(thrown);
    }
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    // there is nothing to stop before the server has begun it; where that fails, start says so
    await this.#begun?.catch(() => {});
    try {
      await api.stopRangeTest(this.run);
    } catch (thrown) {
      this.refused = refusal(thrown);
      this.isStopping = false;
    }
  }

  async #find(): Promise<void> {
    try {
      const { state } = await api.rangeTest(this.run);
      if (state === 'none' || this.isThere) return;
      this.isThere = true;
      this.#follow();
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  #follow(): void {
    this.#leave();
    this.#leave = followTest(this.run, {
      event: (event) => this.#take(event),
      gone: () => {
        this.#forget();
        this.refused = new Refused(gone, 0);
      }
    });
  }

  #take(event: RangeTestEvent): void {
    if (event.kind === 'started') this.started = event;
    else if (event.kind === 'trial') this.trials = [...this.trials, event];
    else {
      this.end = event;
      this.isStopping = false;
    }
  }

  #forget(): void {
    this.#leave();
    this.isThere = false;
    this.isStopping = false;
    this.started = null;
    this.trials = [];
    this.end = null;
    this.refused = null;
  }
}
