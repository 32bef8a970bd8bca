/** What every view needs to know first: which runs there are, and what was opened beside them. */
import { createContext } from 'svelte';
import { refusal, type Refused } from '../api/ask';
import { api } from '../api/client';
import type { OpenedMessage, RunSummary } from '../api/types';

export class Session {
  /** newest first; null until the first answer */
  runs = $state.raw<RunSummary[] | null>(null);
  /** networks that are no runs; they stay as long as the server lives */
  opened = $state.raw<readonly OpenedMessage[]>([]);
  refused = $state.raw<Refused | null>(null);
  #known: () => void = () => {};
  /** done when it is known once what there is */
  readonly known = new Promise<void>((done) => (this.#known = done));

  async refresh(): Promise<void> {
    try {
      const [runs, opened] = await Promise.all([api.runs(), api.opened()]);
      this.opened = opened;
      this.runs = runs;
      this.refused = null;
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
    this.#known();
  }

  get newest(): RunSummary | undefined {
    return this.runs?.[0];
  }

  /** What an address without a name means: what was opened, else the newest run. */
  get first(): string | undefined {
    return this.opened[0]?.id ?? this.newest?.id;
  }

  /** A run to put beside this one: the newest other of the same photos, else any other, else itself. */
  beside(id: string): string {
    const others = (this.runs ?? []).filter(
      (run) => run.id !== id && (run.epoch > 0 || run.edited)
    );
    const dataset = this.run(id)?.dataset;
    return (others.find((run) => run.dataset === dataset) ?? others[0])?.id ?? id;
  }

  run(id: string | undefined): RunSummary | undefined {
    return this.runs?.find((run) => run.id === id);
  }

  /** The network of this id that is no run. */
  network(id: string | undefined): OpenedMessage | undefined {
    return this.opened.find((network) => network.id === id);
  }
}

export const [sessionOf, provideSession] = createContext<Session>();
