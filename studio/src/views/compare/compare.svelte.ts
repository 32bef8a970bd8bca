/** What stands side by side: two networks, one photo, one pair of units, one cell. */
import { createContext } from 'svelte';
import { refusal, type Refused, type Tensor } from '../../api/ask';
import { api } from '../../api/client';
import type {
  ComparisonMessage,
  DisagreementList,
  LayerMatchMessage,
  MatchingMessage
} from '../../api/types';
import type { Cell } from '../../state/place';
import type { Route } from '../../state/route.svelte';
import { isSpatial, mapSize, scales, type Scale, type Scene } from '../look/scene';
import { alignKernels, alignMaps, extents, mapOf, type Aligned, type Extents } from './align';
import { Backwards, type Ways } from './backwards.svelte';
import {
  bothOf,
  drawnOf,
  photoMatch,
  turns,
  type Both,
  type Otherwise,
  type Tensors,
  type Turn
} from './both';
import { ChangedPhoto } from './changed.svelte';
import { doingOf, queryOf, type Doing } from './doings';
import { Equations } from './equations.svelte';
import type { Spot } from './pixel';
import { StepBeside } from './step.svelte';
import { Together } from './together.svelte';

export const scopes = ['same scale', 'own scale'] as const;
export type Scope = (typeof scopes)[number];
export const rights = ['all', 'first', 'second', 'neither'] as const;
export type Right = (typeof rights)[number];

interface Shown {
  both: Both;
  matching: MatchingMessage;
  /** what came back from the loss; null where one does not look backwards */
  ways: Ways | null;
  /** both after a step, or with a changed photo; null where one looks at them as they are */
  otherwise: Otherwise | null;
}

const settled_ms = 300; // the address follows when the pointer rests
const most = 60; // photos in the list
const whole = (text: string | undefined) =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

export class Compare {
  readonly run: string;
  readonly other: string;
  #route: Route;

  comparison = $state.raw<ComparisonMessage | null>(null);
  matching = $state.raw<MatchingMessage | null>(null);
  list = $state.raw<DisagreementList | null>(null);
  both = $state.raw<Both | null>(null);
  weights = $state.raw<Tensors | null>(null);
  /** of the comparison or the photo; of the matching */
  refused = $state.raw<Refused | null>(null);
  unmatched = $state.raw<Refused | null>(null);
  /** under the pointer on either photo */
  spot = $state.raw<Spot | null>(null);
  #moved = $state.raw<{ layer: string; cell: Cell } | null>(null);
  #settling: ReturnType<typeof setTimeout> | undefined;
  #isAwaited = false;
  #last: Shown | null = null;

  readonly back: Backwards;
  readonly taught: StepBeside;
  readonly changed: ChangedPhoto;
  readonly together: Together;
  readonly equations = new Equations();

  constructor(run: string, other: string, route: Route) {
    [this.run, this.other, this.#route] = [run, other, route];
    this.back = new Backwards(this, route);
    this.taught = new StepBeside(this, route);
    this.changed = new ChangedPhoto(this, route);
    this.together = new Together(this);
  }

  /**
   * A photo and a matching of the same two states of weights, and what was done with both. Numbers of two states are never mixed: the last ones stay until all are there.
   */
  shown: Shown | null = $derived.by(() => {
    const { both, matching } = this;
    if (!both || !matching) return this.#last;
    const isSame =
      both.first.trace.weights_sha256 === matching.weights_sha256 &&
      both.second.trace.weights_sha256 === matching.other_weights_sha256;
    const ways = this.back.isOn ? this.back.waysOf(both) : null;
    const otherwise = this.otherwise;
    if (isSame && ways !== undefined && otherwise !== undefined)
      this.#last = { both, matching, ways, otherwise };
    return this.#last;
  });

  /** Whether what is shown belongs to the moments that are asked for. */
  isShown: boolean = $derived.by(() => {
    const [first, second] = this.shown?.both.steps ?? [NaN, NaN];
    return this.shown?.both === this.both && first === this.step && second === this.otherStep;
  });

  /** What both are drawn with: activations, gradients of the loss, or what a step or a change did. */
  drawn: { first: Scene; second: Scene } | null = $derived.by(() => {
    const { shown } = this;
    if (!shown) return null;
    const { both, ways, otherwise } = shown;
    if (otherwise) return drawnOf(otherwise, this.turn);
    return ways ? { first: ways.first.scene, second: ways.second.scene } : both;
  });

  /** The pairs of layers that are drawn; backwards the photo is one of them. */
  layers: readonly LayerMatchMessage[] = $derived.by(() => {
    const { shown, drawn } = this;
    if (!shown || !drawn) return [];
    const found = shown.matching.layers.filter(
      ({ kind }) => kind !== 'softmax' && kind !== 'flatten'
    );
    return shown.ways ? [photoMatch(drawn.first, drawn.second), ...found] : found;
  });

  // ------------------------------------------------------------ what the address says

  doing: Doing = $derived.by(() => doingOf(this.#route.current.query));
  /** which maps are drawn of what became of them */
  turn: Turn = $derived.by(() => {
    const said = this.#route.current.query['maps'];
    return turns.find((turn) => turn === said) ?? (this.doing === 'One step' ? 'change' : 'after');
  });
  /** null: nothing is otherwise, or it was refused, which is said; undefined: not there yet */
  otherwise: Otherwise | null | undefined = $derived.by(() => {
    const { both, doing } = this;
    if (!both) return undefined;
    if (doing === 'One step') return this.taught.of(both);
    return doing === 'Change the photo' ? this.changed.of(both) : null;
  });
  step: number | undefined = $derived.by(() => whole(this.#route.current.query['step']));
  otherStep: number | undefined = $derived.by(() => whole(this.#route.current.query['other_step']));
  photo: string | undefined = $derived.by(() => this.#route.current.photo);
  scale: Scale = $derived.by(() => {
    const said = this.#route.current.query['scale'];
    return scales.find((scale) => scale === said) ?? 'layer';
  });
  scope: Scope = $derived.by(() =>
    this.#route.current.query['difference'] === 'own' ? 'own scale' : 'same scale'
  );
  right: Right = $derived.by(() => {
    const said = this.#route.current.query['right'];
    return rights.find((right) => right === said) ?? 'all';
  });

  /** Names of the two on the screen: the run, with its step where one is chosen. */
  names: readonly [string, string] = $derived.by(() => {
    const [one, other] = [this.step, this.otherStep];
    const at = (run: string, step: number | undefined) =>
      step === undefined ? run : `${run} @ ${step}`;
    return [at(this.run, one), at(this.other, other)];
  });

  match: LayerMatchMessage | null = $derived.by(() => {
    const { layer } = this.#route.current;
    return this.layers.find((one) => one.first === layer) ?? null;
  });
  unit: number | null = $derived.by(() => {
    const { unit } = this.#route.current;
    const isThere = unit !== undefined && this.match && unit < this.match.units.length;
    return isThere ? unit : null;
  });

  // ------------------------------------------------------------ numbers side by side

  #known: Map<string, Aligned | null> = $derived.by(() => (void this.drawn, new Map()));
  #sizes: Map<string, Extents> = $derived.by(() => (void this.#known, void this.scope, new Map()));

  aligned(match: LayerMatchMessage): Aligned | null {
    const { drawn } = this;
    if (!drawn) return null;
    let found = this.#known.get(match.first);
    if (found === undefined) {
      found = alignMaps(match, drawn.first, drawn.second);
      this.#known.set(match.first, found);
    }
    return found;
  }

  /** Where colours are full for a unit, in the chosen scale. */
  extents(match: LayerMatchMessage, unit: number): Extents {
    const scale = this.#scaleOf(match);
    const key =
      scale === 'network' ? '' : scale === 'layer' ? match.first : `${match.first}/${unit}`;
    let found = this.#sizes.get(key);
    if (!found) this.#sizes.set(key, (found = this.#measured(match, unit)));
    return found;
  }

  /** A pixel counts to 255, so its gradient has no scale in common with the layers'. */
  #scaleOf({ kind }: LayerMatchMessage): Scale {
    return this.scale === 'network' && kind === 'photo' ? 'layer' : this.scale;
  }

  #measured(match: LayerMatchMessage, unit: number): Extents {
    const isShared = this.scope === 'same scale';
    const scale = this.#scaleOf(match);
    if (scale === 'network') {
      const all = this.layers.filter((one) => one.kind !== 'photo');
      const each = all.map((one) => this.aligned(one)).filter((one) => one !== null);
      const found = each.map((one) => extents(one, isShared));
      const sides = Math.max(0, ...found.map((one) => one.sides));
      return { sides, difference: Math.max(0, ...found.map((one) => one.difference)) };
    }
    const aligned = this.aligned(match);
    if (!aligned) return { sides: 0, difference: 0 };
    if (scale === 'layer') return extents(aligned, isShared);
    return extents(aligned, isShared, (band, values) => {
      const map = mapOf(aligned, band, unit);
      return map
        ? values.subarray(map.offset, map.offset + map.width * map.height)
        : values.subarray(0, 0);
    });
  }

  /** null where the layer has no maps */
  cell: Cell | null = $derived.by(() => {
    const { match, unit, drawn } = this;
    const layer = match && drawn?.first.layer(match.first);
    if (!layer || unit === null || !isSpatial(layer)) return null;
    const said = this.#moved?.layer === layer.name ? this.#moved.cell : this.#route.current.cell;
    const cell = said ?? drawn!.first.strongest(layer, unit);
    const [height, width] = mapSize(layer);
    return { row: Math.min(cell.row, height - 1), column: Math.min(cell.column, width - 1) };
  });

  /** The layer whose weights made the selected unit, and its kernels. */
  made: LayerMatchMessage | null = $derived.by(
    () => this.layers.find((one) => one.first === this.match?.weights_layer) ?? null
  );
  /** Backwards, their gradients. */
  kernels = $derived.by(() => {
    const { made, unit } = this;
    const ways = this.shown?.ways;
    if (!made || unit === null) return null;
    const weights = ways ? this.back.gradients : this.weights;
    const key = ways ? this.back.gradientsKey(ways, made) : this.#weightsKey(made);
    if (weights?.key !== key) return null;
    return alignKernels(made, unit, weights.first, weights.second, this.#tile(made, weights.first));
  });

  #tile(made: LayerMatchMessage, tensor: Tensor): [number, number] {
    if (tensor.shape.length === 4) return [tensor.shape[2]!, tensor.shape[3]!];
    const scene = this.shown!.both.first;
    const flat = scene.before(scene.layer(made.first)!);
    const below = flat?.kind === 'flatten' ? scene.before(flat) : undefined;
    return below && isSpatial(below) ? mapSize(below) : [1, tensor.shape[1]!];
  }

  // ------------------------------------------------------------ acts

  /** `replace` for what is too small to be a step back. */
  #go(part: Partial<Route['current']>, step: 'push' | 'replace' = 'push'): void {
    const { photo, layer, unit, cell, query } = this.#route.current;
    const here = { view: 'compare' as const, run: this.run, other: this.other };
    this.#route.go({ ...here, photo, layer, unit, cell, query, ...part }, step);
  }

  #leave(): void {
    clearTimeout(this.#settling);
    this.#moved = null;
  }

  ask(part: Record<string, string | undefined>, step: 'push' | 'replace' = 'replace'): void {
    const entries = Object.entries({ ...this.#route.current.query, ...part });
    this.#go(
      { query: Object.fromEntries(entries.filter((e): e is [string, string] => !!e[1])) },
      step
    );
  }

  do(doing: Doing): void {
    this.ask({ ...queryOf(doing), maps: undefined }, 'push');
  }

  /** `at`: the cell; left out: the one that is marked, or where the unit is strongest */
  select(layer: string, unit: number, at?: Cell): void {
    const isSame = layer === this.match?.first;
    const cell = at ?? (isSame ? (this.cell ?? undefined) : undefined);
    this.#leave();
    this.#isAwaited = true;
    this.#go({ layer, unit, cell });
  }

  /** Whether the map of what was just selected takes the keyboard; once. */
  takesKeyboard(): boolean {
    const isAwaited = this.#isAwaited;
    this.#isAwaited = false;
    return isAwaited;
  }

  close(): void {
    this.#leave();
    this.#go({ layer: undefined, unit: undefined, cell: undefined });
  }

  move(cell: Cell): void {
    const layer = this.match && this.drawn?.first.layer(this.match.first);
    if (!layer) return;
    const [height, width] = mapSize(layer);
    const inside = (v: number, size: number) => Math.max(0, Math.min(size - 1, v));
    const now = { row: inside(cell.row, height), column: inside(cell.column, width) };
    this.#moved = { layer: layer.name, cell: now };
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#go({ cell: now }, 'replace'), settled_ms);
  }

  leave(): void {
    clearTimeout(this.#settling);
    for (const each of [this.equations, this.taught, this.changed, this.together]) each.leave();
  }

  // ------------------------------------------------------------ answers; called from effects

  async load(signal: AbortSignal): Promise<void> {
    const at = { step: this.step, other_step: this.otherStep };
    try {
      this.comparison = await api.comparison(this.run, this.other, at, signal);
      this.refused = null;
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  async loadMatching(signal: AbortSignal): Promise<void> {
    const at = { step: this.step, other_step: this.otherStep };
    try {
      this.matching = await api.matching(this.run, this.other, at, signal);
      this.unmatched = null;
    } catch (thrown) {
      if (!signal.aborted) this.unmatched = refusal(thrown);
    }
  }

  async loadList(signal: AbortSignal): Promise<void> {
    const right = this.right === 'all' ? undefined : this.right;
    const at = { step: this.step, other_step: this.otherStep, right, limit: most };
    try {
      const list = await api.comparisonPhotos(this.run, this.other, at, signal);
      this.list = list;
      const [first] = list.photos;
      if (!this.#route.current.photo && first) this.#go({ photo: first.photo }, 'replace');
      else if (!this.#route.current.photo) await this.#anyPhoto(signal);
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  /** They agree about everything: then any photo will do. */
  async #anyPhoto(signal: AbortSignal): Promise<void> {
    const { photos } = await api.photos(this.run, { split: 'test', limit: 1 }, signal);
    if (photos[0]) this.#go({ photo: photos[0].id }, 'replace');
  }

  async loadPhoto(signal: AbortSignal): Promise<void> {
    const { photo, run, other, step, otherStep } = this;
    if (!photo) return;
    try {
      const both = await bothOf({ run, step }, { run: other, step: otherStep }, photo, signal);
      if (signal.aborted) return;
      this.both = both;
      this.refused = null;
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  #weightsKey = (made: LayerMatchMessage) => `${made.first} ${this.step} ${this.otherStep}`;

  async loadWeights(signal: AbortSignal): Promise<void> {
    const { made, run, other, step, otherStep } = this;
    if (!made || made.why_no_kernels !== null) return;
    const key = this.#weightsKey(made);
    if (this.weights?.key === key) return;
    try {
      const [first, second] = await Promise.all([
        api.weights(run, made.first, 'weight', signal, step),
        api.weights(other, made.second, 'weight', signal, otherStep)
      ]);
      if (!signal.aborted) this.weights = { key, first, second };
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }
}

export const [compareOf, provideCompare] = createContext<Compare>();
