/** What is looked at on a notebook's page: a layer, a unit, a cell, and its equation from Python. */
import { createContext } from 'svelte';
import type { Pixels } from '../api/ask';
import type { EquationMessage, ErrorMessage } from '../api/types';
import type { Cells } from '../scale/raster';
import type { Cell } from '../state/place';
import { Asking, revived, type Model } from './asking';
import {
  bytes,
  cellsOf,
  isVector,
  numUnits,
  peak,
  pixels,
  strongest,
  type Sheet,
  type SheetLayer
} from './sheet';

const patience = 3000; // ms until it is said that Python is late

export class Choice {
  readonly sheet: Sheet;
  readonly pixels: Pixels;
  readonly numbers: Float32Array;
  #asking: Asking;
  #wish: { layer: string; unit: number; cell: Cell | null } | null = null;
  #isAsking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** place among the layers; their number is the softmax */
  place = $state(-1);
  unit = $state(0);
  cell = $state.raw<Cell | null>(null);
  /** of the unit, or of all numbers of a vector */
  map = $state.raw<Cells | null>(null);
  equation = $state.raw<EquationMessage | null>(null);
  problem = $state.raw<ErrorMessage | null>(null);
  isWaiting = $state(false);
  isLate = $state(false);

  constructor(model: Model) {
    this.sheet = model.get('sheet') as Sheet;
    this.pixels = pixels(this.sheet, bytes(model.get('pixels') as DataView));
    this.numbers = new Float32Array(bytes(model.get('maps') as DataView));
    this.#asking = new Asking(model);
    const first = this.sheet.layers.findIndex(({ known, kind }) => known && kind === 'conv');
    const place = Math.max(0, first);
    const layer = this.sheet.layers[place];
    if (layer) void this.choose(place, strongest(layer, this.numbers));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#asking.close();
  }

  get layer(): SheetLayer | undefined {
    return this.sheet.layers[this.place];
  }

  get name(): string {
    return this.layer?.name ?? this.sheet.softmax.name;
  }

  /** The layers that the equation's terms come from. */
  get inputs(): readonly string[] {
    return (this.layer ?? this.sheet.softmax).inputs;
  }

  /** A unit, and of its cells the one of the largest size; of a vector, without a unit, too. */
  async choose(place: number, unit: number | null): Promise<void> {
    const layer = this.sheet.layers[place];
    this.place = place;
    this.problem = null;
    if (!layer) {
      this.unit = unit ?? 0;
      this.map = this.cell = null;
      this.#want();
      return;
    }
    if (isVector(layer)) {
      this.unit = unit ?? 0;
      this.map = cellsOf(layer, 0, this.numbers)!;
      this.point(unit === null ? peak(this.map) : this.#cellOf(unit));
      return;
    }
    this.unit = unit ?? 0;
    const map = cellsOf(layer, this.unit, this.numbers) ?? (await this.#fetched(layer, this.unit));
    if (!map || this.place !== place || this.unit !== (unit ?? 0)) return;
    this.map = map;
    this.point(peak(map));
  }

  /** A cell, held inside the map. */
  point(to: Cell): void {
    const { map, layer } = this;
    if (!map || !layer) return;
    const row = Math.max(0, Math.min(map.height - 1, to.row));
    const column = Math.max(0, Math.min(map.width - 1, to.column));
    this.cell = { row, column };
    if (isVector(layer)) {
      this.unit = Math.min(numUnits(layer) - 1, row * map.width + column);
      this.cell = this.#cellOf(this.unit);
    }
    this.#want();
  }

  #cellOf(unit: number): Cell {
    const width = this.map?.width ?? 1;
    return { row: Math.floor(unit / width), column: unit % width };
  }

  async #fetched(layer: SheetLayer, unit: number): Promise<Cells | null> {
    const [, height = 1, width = 1] = layer.shape;
    const asked = { ask: 'map', layer: layer.name, unit, row: null, column: null } as const;
    const { buffers, error } = await this.#asking.ask(asked);
    if (error) this.problem = error;
    const [buffer] = buffers ?? [];
    return buffer ? { values: new Float32Array(bytes(buffer)), offset: 0, height, width } : null;
  }

  /** While one equation is on its way only the newest wish is kept. */
  #want(): void {
    const { layer } = this;
    if (layer && !layer.known) {
      this.equation = null;
      return;
    }
    const cell = layer && !isVector(layer) ? this.cell : null;
    this.#wish = { layer: this.name, unit: this.unit, cell };
    if (!this.#isAsking) void this.#answerAll();
  }

  async #answerAll(): Promise<void> {
    this.#isAsking = this.isWaiting = true;
    this.#timer = setTimeout(() => (this.isLate = true), patience);
    while (this.#wish) {
      const { layer, unit, cell } = this.#wish;
      this.#wish = null;
      const { row, column } = cell ?? { row: null, column: null };
      const answer = await this.#asking.ask({ ask: 'equation', layer, unit, row, column });
      if (this.#wish) continue;
      this.equation = answer.equation ? revived(answer.equation) : null;
      this.problem = answer.error ?? null;
    }
    clearTimeout(this.#timer);
    this.#isAsking = this.isWaiting = this.isLate = false;
  }
}

export const [choiceOf, provideChoice] = createContext<Choice>();
