/** What lies in the sandbox: the photo's pixels, the kernel, the settings, and where the window is. */
import { createContext } from 'svelte';
import { refusal, type Pixels, type Refused, type Tensor } from '../../api/ask';
import { api } from '../../api/client';
import type { Photo } from '../../api/types';
import type { Cell } from '../../state/place';
import type { Route } from '../../state/route.svelte';
import { variety } from '../look/variety';
import { format, parse, type Asked, type Values } from './address';
import { convolve, outputSize, padded, windowAt, type Spec } from './convolution';
import { cropped, inside } from './crop';
import { preset, resized, rounded } from './kernels';
import { changed, ranges, settled, type Setting } from './limits';

/** The weights of the first convolution of the run: units × channels × k × k. */
export interface Learned extends Tensor {
  layer: string;
}

const settled_ms = 300; // the address follows when the window rests
const drag_ms = 1200; // changes of one setting within this time are one step back

export class Sandbox {
  readonly run: string;
  #route: Route;
  #isOpened: boolean;

  photos = $state.raw<readonly Photo[] | null>(null);
  dropped = $state.raw<Photo | null>(null);
  refused = $state.raw<Refused | null>(null);
  learned = $state.raw<Learned | null>(null);
  #pixels = $state.raw<{ photo: string; pixels: Pixels } | null>(null);
  #moved = $state.raw<Cell | null>(null);
  #settling: ReturnType<typeof setTimeout> | undefined;
  #changed: { what: string; at: number } | null = null;

  /** `isOpened`: it is the network of no run */
  constructor(run: string, route: Route, isOpened = false) {
    this.run = run;
    this.#route = route;
    this.#isOpened = isOpened;
  }

  // ------------------------------------------------------------ what is asked, and what can be

  photo = $derived.by(() => this.#route.current.query['photo']);
  asked: Asked = $derived.by(() => parse(this.#route.current.query));
  /** the photo before stays until the next one is there */
  pixels = $derived.by(() => this.#pixels?.pixels ?? null);
  photo_px = $derived.by(() => Math.min(this.pixels?.width ?? 16, this.pixels?.height ?? 16));
  spec: Spec = $derived.by(() => {
    const { spec, values } = this.asked;
    const learned = values.kind === 'learned' ? this.#sliceSize() : null;
    const kernel = learned ?? spec.kernel;
    return settled({ ...spec, kernel }, this.photo_px);
  });
  /** whether an address asked for what cannot be */
  isAdapted = $derived.by(() => {
    const { spec, values } = this.asked;
    if (values.kind === 'learned') return false;
    return (Object.keys(ranges) as Setting[]).some((one) => spec[one] !== this.spec[one]);
  });
  corner = $derived.by(() => {
    const { pixels, spec } = this;
    if (!pixels) return { row: 0, column: 0 };
    const middle = (side: number) => Math.floor((side - spec.size) / 2);
    const corner = this.asked.corner ?? {
      row: middle(pixels.height),
      column: middle(pixels.width)
    };
    return inside(corner, spec.size, pixels);
  });

  // ------------------------------------------------------------ numbers

  /** whole numbers 0..255, row-major */
  pixelValues: number[] = $derived.by(() =>
    this.pixels ? cropped(this.pixels, this.corner, this.spec.size, this.asked.channel) : []
  );
  /** pixel / 255 */
  values: number[] = $derived.by(() => this.pixelValues.map((value) => value / 255));
  weights: number[] = $derived.by(() => {
    const { values } = this.asked;
    const { kernel } = this.spec;
    if (values.kind === 'own') return resized(values.weights, kernel);
    if (values.kind === 'learned') {
      const slice = this.#slice(values.slice.unit, values.slice.channel);
      if (slice) return resized(slice, kernel);
    }
    const name = values.kind === 'preset' ? values.name : 'identity';
    return preset(name, kernel) ?? preset('identity', kernel)!;
  });
  ground: number[] = $derived.by(() => padded(this.values, this.spec));
  output: number[] = $derived.by(() => convolve(this.values, this.weights, this.spec));
  extent = $derived.by(() => Math.max(0, ...this.output.map(Math.abs)));
  cell: Cell = $derived.by(() => {
    const said = this.#moved ?? this.asked.cell;
    const last = outputSize(this.spec) - 1;
    return { row: Math.min(said.row, last), column: Math.min(said.column, last) };
  });
  window: number[] = $derived.by(() =>
    windowAt(this.ground, this.cell.row, this.cell.column, this.spec)
  );
  products: number[] = $derived.by(() => this.window.map((value, i) => value * this.weights[i]!));

  // ------------------------------------------------------------ acts

  set(setting: Setting, value: number): void {
    this.change({ spec: changed(this.spec, setting, value) }, setting);
  }

  /** A kernel of the run brings its own size and reads its own colour. */
  choose(values: Values): void {
    if (values.kind !== 'learned') return this.change({ values }, 'values');
    const kernel = this.learned?.shape[2] ?? this.spec.kernel;
    const channel = (['red', 'green', 'blue'] as const)[values.slice.channel];
    const spec = settled(changed(this.spec, 'kernel', kernel), this.photo_px);
    this.change({ values, spec, ...(this.#isColoured() && channel ? { channel } : {}) }, 'values');
  }

  weigh(at: number, weight: number): void {
    const weights = this.weights.map((one, i) => rounded(i === at ? weight : one));
    this.change({ values: { kind: 'own', weights } }, `weight ${at}`);
  }

  /** `what`: changes of the same thing in one go are one step back. */
  change(change: Partial<Asked>, what: string): void {
    const before = { ...this.asked, spec: this.spec, cell: this.cell };
    const next = { ...before, ...change };
    const isResized = next.spec.kernel !== this.spec.kernel;
    if (isResized && !change.values && before.values.kind !== 'preset')
      next.values = {
        kind: 'own',
        weights: resized(this.weights, next.spec.kernel).map(rounded)
      };
    const isOne = this.#changed?.what === what && Date.now() - this.#changed.at < drag_ms;
    this.#changed = { what, at: Date.now() };
    this.#write(next, isOne ? 'replace' : 'push');
  }

  move(cell: Cell): void {
    const last = outputSize(this.spec) - 1;
    const at = (i: number) => Math.max(0, Math.min(last, i));
    this.#moved = { row: at(cell.row), column: at(cell.column) };
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.settle(), settled_ms);
  }

  /** The next cell, as one reads; after the last one the first. */
  next(): void {
    const side = outputSize(this.spec);
    const at = (this.cell.row * side + this.cell.column + 1) % (side * side);
    this.move({ row: Math.floor(at / side), column: at % side });
  }

  /** The address says where the window is. */
  settle(): void {
    clearTimeout(this.#settling);
    if (this.#moved) this.#write({ ...this.asked, cell: this.cell }, 'replace');
  }

  /** Nothing is written to the address any more. */
  leave(): void {
    clearTimeout(this.#settling);
  }

  // ------------------------------------------------------------ asking

  async begin(signal: AbortSignal): Promise<void> {
    try {
      const photos = await variety(this.run, 18);
      const [first] = photos;
      const layer = await this.#firstConvolution(first?.id, signal);
      if (layer !== undefined) await this.#learn(layer, signal);
      this.photos = photos;
      if (!this.photo && first && !signal.aborted) this.open(first.id, 'replace');
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  /** A run says which layers it has; of an opened network a photo's trace does. */
  async #firstConvolution(photo: string | undefined, signal: AbortSignal) {
    const isConvolution = ({ kind }: { kind: string }) => kind === 'conv';
    if (!this.#isOpened) return (await api.run(this.run, signal)).layers.find(isConvolution)?.name;
    if (photo === undefined) return undefined;
    return (await api.trace(this.run, photo, signal)).layers.find(isConvolution)?.name;
  }

  async #learn(layer: string, signal: AbortSignal): Promise<void> {
    try {
      this.learned = { layer, ...(await api.weights(this.run, layer, 'weight', signal)) };
    } catch {
      this.learned = null; // before the first checkpoint there is none: then the presets remain
    }
  }

  async read(photo: string, signal: AbortSignal): Promise<void> {
    try {
      this.#pixels = { photo, pixels: await api.pixels(this.run, photo, signal) };
      this.refused = null;
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  async drop(file: File): Promise<void> {
    try {
      this.dropped = await api.drop(this.run, file);
      this.open(this.dropped.id);
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  open(photo: string, step: 'push' | 'replace' = 'push'): void {
    const query = { ...this.#route.current.query, photo };
    this.#route.go({ view: 'sandbox', run: this.run, query }, step);
  }

  #write(asked: Asked, step: 'push' | 'replace'): void {
    clearTimeout(this.#settling);
    const { photo } = this;
    const query = { ...(photo === undefined ? {} : { photo }), ...format(asked) };
    this.#moved = null;
    this.#route.go({ view: 'sandbox', run: this.run, query }, step);
  }

  #isColoured(): boolean {
    return this.learned?.shape[1] === 3;
  }

  /** Side of a learned kernel that can be laid in here; null for others. */
  #sliceSize(): number | null {
    const [, , height, width] = this.learned?.shape ?? [];
    return height !== undefined && height === width && height <= ranges.kernel[1] ? height : null;
  }

  #slice(unit: number, channel: number): number[] | null {
    const size = this.#sliceSize();
    const [units = 0, channels = 0] = this.learned?.shape ?? [];
    if (!this.learned || size === null || unit >= units || channel >= channels) return null;
    const at = (unit * channels + channel) * size * size;
    return [...this.learned.values.subarray(at, at + size * size)];
  }
}

export const [sandboxOf, provideSandbox] = createContext<Sandbox>();
