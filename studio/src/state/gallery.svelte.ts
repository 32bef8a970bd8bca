/** What a run learned from: its data set, and one page of its photos at a time. */
import { refusal, type Refused } from '../api/ask';
import { api } from '../api/client';
import type { PhotoList, RunDetail } from '../api/types';
import type { Split } from './counts';

/** Photos on a page. */
export const page = 48;

export interface Choice {
  split: Split;
  /** undefined: every class */
  label: string | undefined;
  /** from 0 */
  number: number;
}

export class Gallery {
  readonly run: string;
  detail = $state.raw<RunDetail | null>(null);
  list = $state.raw<PhotoList | null>(null);
  refused = $state.raw<Refused | null>(null);
  isReading = $state(false);
  #cancel = new AbortController();

  constructor(run: string) {
    this.run = run;
  }

  async open(): Promise<void> {
    try {
      this.detail = await api.run(this.run);
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  /** Another page; what was on its way for the last one is called off, what is shown stays until then. */
  async show({ split, label, number }: Choice): Promise<void> {
    this.#cancel.abort();
    this.#cancel = new AbortController();
    const { signal } = this.#cancel;
    this.isReading = true;
    try {
      const query = { split, label, order: 'file', limit: page, offset: number * page } as const;
      this.list = await api.photos(this.run, query, signal);
      this.refused = null;
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    } finally {
      if (!signal.aborted) this.isReading = false;
    }
  }

  close(): void {
    this.#cancel.abort();
  }
}
