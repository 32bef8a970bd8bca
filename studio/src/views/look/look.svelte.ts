/** What is looked at: photo, layer, unit, cell, and the answers that belong to them. */
import { createContext, untrack } from 'svelte';
import { refusal, type Refused, type Tensor } from '../../api/ask';
import { api } from '../../api/client';
import { Latest } from '../../api/latest';
import type { EquationMessage, TracedLayerMessage } from '../../api/types';
import { isWeighted } from '../../network/edges';
import { benchOf, isAnswer } from '../../network/kinds';
import { afterPaint } from '../../state/paint';
import { stepOf, type Cell } from '../../state/place';
import type { Route } from '../../state/route.svelte';
import { changed, modeOf } from './learn/figures';
import { photoLayer } from './learn/gradients';
import { carry, isSpatial, mapSize, Scene, scales, type Scale } from './scene';

export interface Selected {
  layer: TracedLayerMessage;
  unit: number;
}

export interface Partials {
  /** photo, weights, layer and unit that they belong to */
  key: string;
  layer: string;
  unit: number;
  tensor: Tensor;
}

const settled_ms = 300; // the address follows when the window rests
const rest_ms = 40; // a pointer that rests on a unit may be about to click

export class Look {
  readonly run: string;
  readonly isRun: boolean;
  #route: Route;

  scene = $state.raw<Scene | null>(null);
  refused = $state.raw<Refused | null>(null);
  /** the newest answer; an older one stays until the next is there */
  equation = $state.raw<EquationMessage | null>(null);
  equationRefused = $state.raw<Refused | null>(null);
  /** the equation a frame later: for what may follow the answer */
  followed = $state.raw<EquationMessage | null>(null);
  partials = $state.raw<Partials | null>(null);
  hovered = $state.raw<Selected | null>(null);
  /** the moment that the scene belongs to; undefined: now */
  sceneStep = $state.raw<number | undefined>(undefined);
  #weights = $state.raw<ReadonlyMap<string, Tensor>>(new Map());
  #moved = $state.raw<{ layer: string; cell: Cell } | null>(null);

  #equations = new Latest<EquationMessage>();
  #partials = new Latest<Tensor>(24);
  #asked = new Set<string>();
  #ahead: { of: Selected | null; cell: Cell } | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #resting: ReturnType<typeof setTimeout> | undefined;

  /** other numbers in which a unit's strongest cell is searched: gradients */
  through: () => Scene | null = () => null;

  /** `isRun`: false for an opened network, which has no recipe and no past */
  constructor(run: string, route: Route, isRun = true) {
    this.run = run;
    this.isRun = isRun;
    this.#route = route;
  }

  scale: Scale = $derived.by(() => {
    const said = this.#route.current.query['scale'];
    return scales.find((scale) => scale === said) ?? 'layer';
  });

  /** the moment that is asked for: the network as it was after so many steps; undefined: now */
  step: number | undefined = $derived.by(() => stepOf(this.#route.current.query));

  isForwards = $derived.by(() => modeOf(this.#route.current.query) === 'Forwards');

  selected: Selected | null = $derived.by(() => {
    const { layer: name, unit } = this.#route.current;
    const layer = this.#named(name);
    if (!layer || unit === undefined || unit >= (layer.shape[0] ?? 0)) return null;
    return { layer, unit };
  });

  /** null where the layer has no maps */
  cell: Cell | null = $derived.by(() => {
    if (!this.selected || !isSpatial(this.selected.layer) || !this.scene) return null;
    const { layer, unit } = this.selected;
    const said = this.#moved?.layer === layer.name ? this.#moved.cell : this.#route.current.cell;
    const cell = said ?? (this.through() ?? this.scene).strongest(layer, unit);
    const [height, width] = mapSize(layer);
    return { row: Math.min(cell.row, height - 1), column: Math.min(cell.column, width - 1) };
  });

  weights(layer: string): Tensor | undefined {
    return this.#weights.get(layer);
  }

  // ------------------------------------------------------------ acts

  open(photo: string): void {
    this.#leave();
    const { layer, unit } = this.#route.current;
    const query = changed(this.#route.current.query, { truth: undefined });
    const cell = this.cell ?? undefined;
    this.#route.go({ view: 'look', run: this.run, photo, layer, unit, cell, query });
  }

  select(layer: TracedLayerMessage, unit: number): void {
    const cell = this.#carried(layer);
    this.#leave();
    const { photo } = this.#route.current;
    const query = changed(this.#route.current.query, { weight: undefined });
    this.#route.go({ view: 'look', run: this.run, photo, layer: layer.name, unit, cell, query });
  }

  /** One level up: from the unit to the whole network. */
  up(): boolean {
    if (!this.selected) return false;
    this.#leave();
    const { photo } = this.#route.current;
    const query = changed(this.#route.current.query, { weight: undefined });
    this.#route.go({ view: 'look', run: this.run, photo, query });
    return true;
  }

  /** `isStep`: by one cell, as keys and the player do; the next step is then prepared. */
  move(cell: Cell, isStep = false): void {
    const [layer, from] = [this.selected?.layer, this.cell];
    if (!layer || !from || !isSpatial(layer)) return;
    const [height, width] = mapSize(layer);
    const inside = (v: number, size: number) => Math.max(0, Math.min(size - 1, v));
    const now = { row: inside(cell.row, height), column: inside(cell.column, width) };
    this.#moved = { layer: layer.name, cell: now };
    const ahead = { row: 2 * now.row - from.row, column: 2 * now.column - from.column };
    const isInside = inside(ahead.row, height) === ahead.row;
    const isOnMap = isInside && inside(ahead.column, width) === ahead.column;
    this.#ahead = isStep && isOnMap ? { of: this.selected, cell: ahead } : null;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settle(), settled_ms);
  }

  /** The next cell in reading order, beginning again at the end. */
  next(): void {
    const { selected, cell } = this;
    if (!selected || !cell) return;
    const [height, width] = mapSize(selected.layer);
    const index = (cell.row * width + cell.column + 1) % (height * width);
    this.move({ row: Math.floor(index / width), column: index % width }, true);
  }

  colour(scale: Scale): void {
    const place = this.#route.current;
    const { scale: _, ...query } = place.query;
    this.#route.go({ ...place, query: scale === 'layer' ? query : { ...query, scale } }, 'replace');
  }

  // ------------------------------------------------------------ answers; called from effects

  /** Loads a photo's trace; what is on screen stays until it is there. */
  async load(photo: string, signal: AbortSignal): Promise<void> {
    const { step } = this;
    try {
      const trace = await api.trace(this.run, photo, signal, step);
      const [activations, pixels] = await Promise.all([
        api.activations(this.run, photo, trace.weights_sha256, signal, step),
        api.pixels(this.run, photo, signal)
      ]);
      if (signal.aborted) return;
      if (trace.weights_sha256 !== this.scene?.trace.weights_sha256) this.#forgetWeights();
      this.sceneStep = step;
      this.scene = new Scene(trace, activations.values, pixels);
      this.refused = null;
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  askEquation(): void {
    const { scene, selected, cell } = this;
    if (!scene || !selected || !this.isForwards) return;
    const { key, fetch } = this.#question(scene, selected, cell);
    this.#equations.ask(
      key,
      fetch,
      (equation) => {
        this.equation = equation;
        this.equationRefused = null;
        afterPaint(() => this.#follow());
      },
      (thrown) => (this.equationRefused = refusal(thrown))
    );
  }

  /** Points at a unit, or at nothing; where the pointer rests, its equation is asked already. */
  hover(unit: Selected | null): void {
    this.hovered = unit;
    clearTimeout(this.#resting);
    if (unit) this.#resting = setTimeout(() => this.prepare(unit), rest_ms);
  }

  /** Asks the equation that a click on this unit will show. */
  prepare(of: Selected): void {
    const { scene } = this;
    const isThis = of.layer === this.selected?.layer && of.unit === this.selected.unit;
    if (!scene || isThis || !this.isForwards || benchOf(of.layer.kind, of.layer.known) === 'box')
      return;
    const place = () => this.#carried(of.layer) ?? scene.strongest(of.layer, of.unit);
    const { key, fetch } = this.#question(scene, of, isSpatial(of.layer) ? place() : null);
    this.#equations.prepare(key, fetch);
  }

  askPartials(): void {
    const { scene, selected } = this;
    if (!scene || selected?.layer.kind !== 'conv' || !this.isForwards) return;
    const { photo, weights_sha256 } = scene.trace;
    const step = this.sceneStep;
    const [layer, unit] = [selected.layer.name, selected.unit];
    // after the equation stands there: both at once would each take longer
    const equation = this.followed;
    const key = [photo.id, weights_sha256, layer, unit].join('/');
    if (equation?.layer !== layer || equation.unit !== unit) return;
    if (untrack(() => this.partials)?.key === key) return;
    this.#partials.ask(
      key,
      (signal) => api.partials(this.run, photo.id, { layer, unit, weights_sha256, step }, signal),
      (tensor) => (this.partials = { key, layer, unit, tensor }),
      () => (this.partials = null)
    );
  }

  askWeights(): void {
    for (const layer of [this.hovered?.layer, this.selected?.layer]) {
      if (!layer || !isWeighted(layer.kind) || this.#asked.has(layer.name)) continue;
      this.#asked.add(layer.name);
      api.weights(this.run, layer.name, 'weight', undefined, this.sceneStep).then(
        (tensor) => (this.#weights = new Map(this.#weights).set(layer.name, tensor)),
        () => this.#asked.delete(layer.name) // asked again at the next hover
      );
    }
  }

  // ------------------------------------------------------------ inside

  /** On the way back the photo is looked at like a layer, and for a probability stands its logit. */
  #named(name: string | undefined): TracedLayerMessage | undefined {
    const layer = this.scene?.layer(name);
    if (!this.scene || this.isForwards) return layer;
    if (layer && isAnswer(layer)) return this.scene.before(layer);
    return name === 'photo' ? photoLayer(this.scene) : layer;
  }

  /** What may come a frame after the answer. */
  #follow(): void {
    this.followed = this.equation;
    const { scene, selected } = this;
    const ahead = this.#ahead;
    // the same unit, whatever address it was reached by
    const isHere = ahead?.of?.layer === selected?.layer && ahead?.of?.unit === selected?.unit;
    if (!scene || !selected || !ahead || !isHere) return;
    const { key, fetch } = this.#question(scene, selected, ahead.cell);
    this.#equations.prepare(key, fetch);
  }

  #question(scene: Scene, { layer, unit }: Selected, cell: Cell | null) {
    const { photo, weights_sha256 } = scene.trace;
    const query = { layer: layer.name, unit, ...cell, weights_sha256, step: this.sceneStep };
    return {
      key: [photo.id, weights_sha256, layer.name, unit, cell?.row, cell?.column].join('/'),
      fetch: (signal: AbortSignal) => api.equation(this.run, photo.id, query, signal)
    };
  }

  #carried(layer: TracedLayerMessage): Cell | undefined {
    if (!isSpatial(layer)) return undefined;
    if (!this.cell || !this.selected) return undefined;
    return carry(this.cell, mapSize(this.selected.layer), mapSize(layer));
  }

  #leave(): void {
    clearTimeout(this.#settling);
    this.#moved = null;
  }

  #settle(): void {
    const place = this.#route.current;
    if (!this.#moved || place.view !== 'look' || place.layer !== this.#moved.layer) return;
    this.#route.go({ ...place, cell: this.#moved.cell }, 'replace');
  }

  #forgetWeights(): void {
    this.#weights = new Map();
    this.#asked.clear();
  }
}

export const [lookOf, provideLook] = createContext<Look>();
