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

  run(id: string | undefined): RunSummary | undefined {
    return this.runs?.find((run) => run.id === id);
  }
}

export const [sessionOf, provideSession] = createContext<Session>();
