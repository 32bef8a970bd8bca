/** What every view needs to know first: which runs there are. */
import { createContext } from 'svelte';
import { api, refusal, type Refused } from '../api/client';
import type { RunSummary } from '../api/types';

export class Session {
  /** newest first; null until the first answer */
  runs = $state.raw<RunSummary[] | null>(null);
  refused = $state.raw<Refused | null>(null);

  async refresh(): Promise<void> {
    try {
      this.runs = await api.runs();
      this.refused = null;
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  get newest(): RunSummary | undefined {
    return this.runs?.[0];
  }

  /** A run to put beside this one: the newest other of the same photos, else any other, else itself. */
  beside(id: string): string {
    const others = (this.runs ?? []).filter((run) => run.id !== id && run.epoch > 0);
    const dataset = this.run(id)?.dataset;
    return (others.find((run) => run.dataset === dataset) ?? others[0])?.id ?? id;
  }

  run(id: string | undefined): RunSummary | undefined {
    return this.runs?.find((run) => run.id === id);
  }
}

export const [sessionOf, provideSession] = createContext<Session>();
