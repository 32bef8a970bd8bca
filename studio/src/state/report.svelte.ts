/** The report of one run, and the photos of one cell of its confusion matrix. */
import { refusal, type Refused } from '../api/ask';
import { api } from '../api/client';
import type { Photo, ReportMessage, RunSummary, SeveralReportMessage } from '../api/types';

/** Photos that are fetched at a time. */
export const page = 18;

export class Report {
  readonly run: string;
  report = $state.raw<ReportMessage | null>(null);
  /** instead of it, where photos have several labels */
  several = $state.raw<SeveralReportMessage | null>(null);
  /** of the run, where there is no report yet */
  summary = $state.raw<RunSummary | null>(null);
  refused = $state.raw<Refused | null>(null);

  constructor(run: string) {
    this.run = run;
  }

  async open(signal?: AbortSignal): Promise<void> {
    this.refused = null;
    try {
      const found = await api.report(this.run, signal);
      if ('per_label' in found) this.several = found;
      else this.report = found;
    } catch (thrown) {
      const refused = refusal(thrown);
      if (refused) await this.#unfinished(refused, signal);
    }
  }

  /** A run that still learns has no report, which is not an error. */
  async #unfinished(refused: Refused, signal?: AbortSignal): Promise<void> {
    try {
      const { summary } = await api.run(this.run, signal);
      this.summary = summary;
      if (summary.state === 'finished') this.refused = refused;
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }
}

/** The photos of one cell, the surest first, page after page. */
export class CellPhotos {
  photos = $state.raw<readonly Photo[]>([]);
  /** all photos of the cell; null until the first answer */
  total = $state<number | null>(null);
  refused = $state.raw<Refused | null>(null);
  isReading = $state(false);
  readonly #run: string;
  readonly #cell: { label: string; predicted: string };
  readonly #cancel = new AbortController();

  constructor(run: string, label: string, predicted: string) {
    this.#run = run;
    this.#cell = { label, predicted };
  }

  async more(): Promise<void> {
    const { signal } = this.#cancel;
    this.isReading = true;
    this.refused = null;
    const rest = { split: 'test', order: 'sure', limit: page, offset: this.photos.length } as const;
    try {
      const { total, photos } = await api.photos(this.#run, { ...this.#cell, ...rest }, signal);
      this.photos = [...this.photos, ...photos];
      this.total = total;
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    } finally {
      this.isReading = false;
    }
  }

  /** Calls off what is on its way. */
  close(): void {
    this.#cancel.abort();
  }
}
