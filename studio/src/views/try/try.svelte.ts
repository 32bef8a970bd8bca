/**
 * What is tried on: one photo, what is changed, and the newest answer.
 *
 * The address holds the change; while a hand moves, a draft runs ahead of it. Painted pixels and
 * typed weights are too many for an address: they last as long as the page.
 */
import { createContext } from 'svelte';
import { api, refusal, type Pixels, type Refused, type Tensor } from '../../api/client';
import { Latest } from '../../api/latest';
import type { TracedLayerMessage, TraceMessage, WhatIfMessage } from '../../api/types';
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

export const sides = ['before', 'after', 'difference'] as const;
export type Side = (typeof sides)[number];

interface Known {
  trace: TraceMessage;
  values: Float32Array;
  pixels: Pixels;
}

interface Answer {
  message: WhatIfMessage;
  values: Float32Array;
  /** whether anything was asked to change */
  isChanged: boolean;
}

const settled_ms = 300; // the address follows when the hand rests

export class Try {
  readonly run: string;
  #route: Route;

  known = $state.raw<Known | null>(null);
  answer = $state.raw<Answer | null>(null);
  /** of loading the photo */
  refused = $state.raw<Refused | null>(null);
  /** of the change that was asked last */
  declined = $state.raw<Refused | null>(null);
  kernels = $state.raw<Tensor | null>(null);
  side = $state<Side>('after');
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
  isChanged: boolean = $derived.by(
    () =>
      Object.keys(written(this.change)).length > 0 || this.paint.length > 0 || this.edits.length > 0
  );

  /** The first convolution on the photo's colours, as far as it has kernels to type in. */
  first: TracedLayerMessage | null = $derived.by(
    () => this.known?.trace.layers.find((layer) => layer.kind === 'conv') ?? null
  );

  /** "layer.unit" → the largest difference */
  changed: ReadonlyMap<string, number | null> = $derived.by(
    () =>
      new Map(
        (this.answer?.message.changed ?? []).flatMap(({ layer, units, largest }) =>
          units.map((unit, i) => [`${layer}.${unit}`, largest[i] ?? null])
        )
      )
  );

  /** After minus before, number by number: for colours. */
  #difference: Float32Array | null = $derived.by(() => {
    const { known, answer } = this;
    return known && answer ? known.values.map((old, i) => answer.values[i]! - old) : null;
  });

  values: Float32Array | null = $derived.by(() => {
    if (this.side === 'before') return this.known?.values ?? null;
    return this.side === 'after' ? (this.answer?.values ?? null) : this.#difference;
  });

  /** The photo as the network is shown it now. */
  pixels: Pixels | null = $derived.by(() => {
    const { known, answer } = this;
    if (!known || !answer || this.side === 'before') return known?.pixels ?? null;
    const { width, height } = known.pixels;
    const data = new Uint8ClampedArray(4 * width * height).fill(255);
    for (let c = 0; c < 3; c++) {
      const from = answer.message.photo_offset + c * width * height;
      for (let i = 0; i < width * height; i++) data[4 * i + c] = answer.values[from + i]!;
    }
    return { width, height, data };
  });

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
    const { run, photo } = this.#route.current;
    this.#route.go({ view: 'try', run, photo, query: written(draft) }, step);
    this.#draft = null;
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
        this.kernels ?? (first ? api.weights(this.run, first.name, 'weight', signal) : null)
      ]);
      this.kernels = kernels;
      this.answer = null;
      this.known = { trace, values: tensor.values, pixels };
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  ask(): void {
    const { known, run, photo, isChanged } = this;
    if (!known || !photo || known.trace.photo.id !== photo) return;
    const asked = question(this.change, this.paint, this.edits, known.trace.weights_sha256);
    this.#answers.ask(
      `${photo} ${JSON.stringify(asked)}`,
      async (signal) => {
        const message = await api.whatIf(run, photo, asked, signal);
        const { values } = await api.whatIfActivations(run, photo, message, signal);
        return { message, values, isChanged };
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

export const [tryOf, provideTry] = createContext<Try>();
