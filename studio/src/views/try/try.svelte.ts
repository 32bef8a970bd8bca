/**
 * What is tried on: one photo, what is changed, and the newest answer.
 *
 * The address holds the change; while a hand moves, a draft runs ahead of it. Painted pixels and
 * typed weights are too many for an address: they last as long as the page.
 */
import { createContext } from 'svelte';
import { refusal, type Pixels, type Refused, type Tensor, type Whole } from '../../api/ask';
import { api } from '../../api/client';
import { Latest } from '../../api/latest';
import type { ChangedLayerMessage, TraceMessage, WhatIfMessage } from '../../api/types';
import type { Route } from '../../state/route.svelte';
import {
  nothing,
  question,
  read,
  written,
  type Change,
  type Colour,
  type Edit,
  type Stroke
} from './change';
import { photoAfter, type Hand } from './hand';

export const sides = ['before', 'after', 'both', 'difference'] as const;
export type Side = (typeof sides)[number];

interface Known {
  trace: TraceMessage;
  values: Float32Array;
  pixels: Pixels;
}

interface Answer extends Whole<WhatIfMessage> {
  /** whether anything was asked to change */
  isChanged: boolean;
}

/** All kernels of one convolution: unit, channel, row, column. */
export interface Kernels {
  layer: string;
  tensor: Tensor;
}

/** What is drawn: one answer, and the numbers of the side that is shown. */
export interface View {
  answer: Answer;
  side: Side;
  /** one above the other: before and after, or the one that is shown */
  bands: readonly Float32Array[];
}

const settled_ms = 300; // the address follows when the hand rests

export class Try implements Hand {
  readonly run: string;
  #route: Route;

  known = $state.raw<Known | null>(null);
  answer = $state.raw<Answer | null>(null);
  /** of loading the photo */
  refused = $state.raw<Refused | null>(null);
  /** of the change that was asked last */
  declined = $state.raw<Refused | null>(null);
  kernels = $state.raw<Kernels | null>(null);
  brush = $state.raw<Colour>([208, 32, 32]);
  paint = $state.raw<readonly Stroke[]>([]);
  edits = $state.raw<readonly Edit[]>([]);
  #draft = $state.raw<Change | null>(null);

  #answers = new Latest<Answer>(16);
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(run: string, route: Route) {
    this.run = run;
    this.#route = route;
  }

  photo: string | undefined = $derived.by(() => this.#route.current.photo);
  change: Change = $derived.by(() => this.#draft ?? read(this.#route.current.query));
  side: Side = $derived.by(() => {
    const said = this.#route.current.query['maps'];
    return sides.find((side) => side === said) ?? 'after';
  });
  isChanged: boolean = $derived.by(
    () =>
      Object.keys(written(this.change)).length > 0 || this.paint.length > 0 || this.edits.length > 0
  );

  /** Those that have kernels to type in, in the order of the layers. */
  convolutions: readonly string[] = $derived.by(() =>
    (this.known?.trace.layers ?? []).filter((one) => one.kind === 'conv').map(({ name }) => name)
  );
  /** how many units' maps differ */
  reach: number = $derived.by(() =>
    (this.answer?.message.changed ?? []).reduce((sum, { units }) => sum + units.length, 0)
  );

  size = $derived.by(() => this.known?.pixels ?? null);
  isOriginal: boolean = $derived.by(() => this.side === 'before');

  /** All at once, so that no map ever stands beside the probabilities of another change. */
  view: View | null = $derived.by(() => {
    const { known, answer, side } = this;
    if (!known || !answer) return null;
    const [old, now] = [known.values, answer.values];
    if (side === 'difference') return { answer, side, bands: [minus(answer, known)] };
    return { answer, side, bands: side === 'both' ? [old, now] : [side === 'before' ? old : now] };
  });

  /** The photo as the network is shown it now. */
  pixels: Pixels | null = $derived.by(() => {
    const { known, answer } = this;
    if (!known || !answer || this.side === 'before') return known?.pixels ?? null;
    const photo = photoAfter(answer.values, answer.message.photo_offset, known.pixels);
    // the same pixels are not drawn again
    if (!this.#shown || isOther(this.#shown.data, photo.data)) this.#shown = photo;
    return this.#shown;
  });
  #shown: Pixels | null = null;

  // ------------------------------------------------------------ acts

  set(part: Partial<Change>): void {
    this.#draft = { ...this.change, ...part };
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.settle(), settled_ms);
  }

  /** Write the draft into the address. */
  settle(step: 'push' | 'replace' = 'replace'): void {
    clearTimeout(this.#settling);
    const draft = this.#draft;
    if (!draft) return;
    const { run, photo, query } = this.#route.current;
    const { maps } = query;
    const own = maps ? { ...written(draft), maps } : written(draft);
    this.#route.go({ view: 'try', run, photo, query: own }, step);
    this.#draft = null;
  }

  /** Which maps are drawn; it stands in the address. */
  show(side: Side): void {
    const { run, photo, query } = this.#route.current;
    const { maps: _, ...rest } = query;
    const own = side === 'after' ? rest : { ...rest, maps: side };
    this.#route.go({ view: 'try', run, photo, query: own }, 'replace');
  }

  toggle(layer: string, unit: number): void {
    const name = `${layer}.${unit}`;
    const { off } = this.change;
    this.set({ off: off.includes(name) ? off.filter((one) => one !== name) : [...off, name] });
  }

  stroke(row: number, column: number, colour: Colour): void {
    const rest = this.paint.filter(([r, c]) => r !== row || c !== column);
    if (rest.length < 4096) this.paint = [...rest, [row, column, ...colour]];
  }

  weigh(name: string, index: number[], value: number | null): void {
    const rest = this.edits.filter((e) => e.name !== name || e.index.join() !== index.join());
    this.edits = value === null ? rest : [...rest, { name, index, value }];
  }

  reset(): void {
    this.paint = [];
    this.edits = [];
    this.set(nothing);
    this.settle('push');
  }

  // ------------------------------------------------------------ asking

  async load(photo: string, signal: AbortSignal): Promise<void> {
    this.refused = null;
    this.paint = [];
    try {
      const trace = await api.trace(this.run, photo, signal);
      const first = trace.layers.find((layer) => layer.kind === 'conv');
      // all at once, so that nothing that comes later moves what is there
      const [tensor, pixels, kernels] = await Promise.all([
        api.activations(this.run, photo, trace.weights_sha256, signal),
        api.pixels(this.run, photo, signal),
        this.kernels ?? (first ? this.#kernelsOf(first.name, signal) : null)
      ]);
      this.kernels = kernels;
      this.#answers.drop();
      this.answer = null;
      this.known = { trace, values: tensor.values, pixels };
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  /** The kernels of another convolution, once they are here. */
  async choose(layer: string): Promise<void> {
    try {
      this.kernels = await this.#kernelsOf(layer);
      this.declined = null;
    } catch (thrown) {
      this.declined = refusal(thrown);
    }
  }

  async #kernelsOf(layer: string, signal?: AbortSignal): Promise<Kernels> {
    return { layer, tensor: await api.weights(this.run, layer, 'weight', signal) };
  }

  ask(): void {
    const { known, run, photo, isChanged } = this;
    if (!known || !photo || known.trace.photo.id !== photo) return;
    const asked = question(this.change, this.paint, this.edits, known.trace.weights_sha256);
    this.#answers.ask(
      `${photo} ${JSON.stringify(asked)}`,
      async (signal) => {
        return { ...(await api.whatIf(run, photo, asked, signal)), isChanged };
      },
      (answer) => {
        this.answer = answer;
        this.declined = null;
      },
      (thrown) => (this.declined = refusal(thrown))
    );
  }

  leave(): void {
    clearTimeout(this.#settling);
    this.#answers.drop();
  }
}

/** After minus before, number by number: for colours. */
function minus(after: Answer, { values: old }: Known): Float32Array {
  const found = new Float32Array(old.length);
  for (let i = 0; i < old.length; i++) found[i] = after.values[i]! - old[i]!;
  return found;
}

const isOther = (a: Uint8ClampedArray, b: Uint8ClampedArray) =>
  a.length !== b.length || a.some((value, i) => value !== b[i]);

/** What became of one layer's units: its largest differences; null for one that is no number. */
export function reachedIn(answer: Answer, layer: string): ReadonlyMap<number, number | null> {
  const found: ChangedLayerMessage | undefined = answer.message.changed.find(
    (one) => one.layer === layer
  );
  return new Map((found?.units ?? []).map((unit, i) => [unit, found?.largest[i] ?? null]));
}

export const [tryOf, provideTry] = createContext<Try>();
