/** The way back through both: the loss of one class, what came back to every cell, and how it adds up. */
import { api, refusal, Refused, type LossQuery } from '../../api/client';
import { Latest } from '../../api/latest';
import type { BackwardMessage, EquationMessage, LayerMatchMessage } from '../../api/types';
import type { Route } from '../../state/route.svelte';
import { modeOf, queryOf, type Mode } from '../look/learn/figures';
import { gradientScene } from '../look/learn/gradients';
import { carry, mapSize, type Scene } from '../look/scene';
import type { Both, Compare, Tensors } from './compare.svelte';
import { truthOf, type Sayer, type Truth } from './truth';

export const directions = ['Forwards', 'Backwards'] as const satisfies readonly Mode[];
export type Direction = (typeof directions)[number];

/** What came back to one of the two. */
export interface Way {
  message: BackwardMessage;
  scene: Scene;
}

/** Of both, from the loss of the same class. */
export interface Ways {
  key: string;
  of: Both;
  label: string;
  first: Way;
  second: Way;
}

/** What one side answers: its equation, or why it has none. */
export type Side = EquationMessage | Refused | null;

export interface Equations {
  /** the layer and unit of the first, and the cell, that they belong to */
  key: string;
  first: Side;
  second: Side;
}

const sayer = ({ trace }: Scene): Sayer => ({ ...trace, label: trace.photo.label });

export class Backwards {
  #compare: Compare;
  #route: Route;

  #found = $state.raw<Ways | null>(null);
  /** of the way back; of the kernels' gradients */
  refused = $state.raw<{ key: string; problem: Refused } | null>(null);
  untold = $state.raw<Refused | null>(null);
  /** the newest answer; an older one stays until the next is there */
  equations = $state.raw<Equations | null>(null);
  /** of the weights that made the selected unit */
  gradients = $state.raw<Tensors | null>(null);
  #equations = new Latest<Equations>();

  constructor(compare: Compare, route: Route) {
    [this.#compare, this.#route] = [compare, route];
  }

  direction: Direction = $derived.by(() =>
    modeOf(this.#route.current.query) === 'Backwards' ? 'Backwards' : 'Forwards'
  );
  isOn = $derived.by(() => this.direction === 'Backwards');

  /** The class that is taken for the true one; null until the photo is there. */
  truth: Truth | null = $derived.by(() => {
    const { both } = this.#compare;
    return (
      both && truthOf(sayer(both.first), sayer(both.second), this.#route.current.query['truth'])
    );
  });

  /** null: there is none, which is said; undefined: not there yet. */
  waysOf(both: Both): Ways | null | undefined {
    const key = this.#key(both);
    if (key === null || this.refused?.key === key) return null;
    return this.#found?.of === both ? this.#found : undefined;
  }

  turn(direction: Direction): void {
    this.#compare.ask(queryOf(direction), 'push');
  }

  choose(truth: string): void {
    this.#compare.ask({ truth }, 'push');
  }

  gradientsKey = (ways: Ways, made: LayerMatchMessage): string => `${made.first}/${ways.key}`;

  // ------------------------------------------------------------ answers; called from effects

  async load(signal: AbortSignal): Promise<void> {
    const { both } = this.#compare;
    const label = this.truth?.truth;
    if (!this.isOn || !both || !label) return;
    const key = this.#key(both)!;
    if (this.#found?.key === key) return;
    const way = async (run: string, scene: Scene, of: LossQuery): Promise<Way> => {
      const { photo } = scene.trace;
      const [message, found] = await Promise.all([
        api.backward(run, photo.id, of, signal),
        api.gradients(run, photo.id, of, signal)
      ]);
      return { message, scene: gradientScene(scene, message, found.values) };
    };
    const { run, other } = this.#compare;
    const [one, two] = this.#losses(both, label);
    try {
      const [first, second] = await Promise.all([
        way(run, both.first, one),
        way(other, both.second, two)
      ]);
      if (signal.aborted) return;
      this.refused = null;
      this.#found = { key, of: both, label, first, second };
    } catch (thrown) {
      const problem = signal.aborted ? null : refusal(thrown);
      if (problem) this.refused = { key, problem };
    }
  }

  /** How both gradients at the marked cell came about. */
  askEquations(): void {
    const { match, unit, cell, shown } = this.#compare;
    const ways = shown?.ways;
    if (!match || unit === null || !ways || !shown) return;
    const partner = match.units[unit] ?? null;
    const key = [ways.key, match.first, unit, cell?.row, cell?.column].join('/');
    const { run, other } = this.#compare;
    const [one, two] = this.#losses(ways.of, ways.label);
    const there = cell && this.#carried(match, ways, cell);
    const fetch = async (signal: AbortSignal): Promise<Equations> => {
      const ask = (id: string, { trace }: Scene, of: Parameters<typeof api.gradientEquation>[2]) =>
        answered(api.gradientEquation(id, trace.photo.id, of, signal));
      const [first, second] = await Promise.all([
        ask(run, ways.of.first, { ...one, layer: match.first, unit, ...cell }),
        partner === null
          ? null
          : ask(other, ways.of.second, { ...two, layer: match.second, unit: partner, ...there })
      ]);
      return { key, first, second };
    };
    const tell = (found: Equations) => (this.equations = found);
    this.#equations.ask(key, fetch, tell, () => undefined);
  }

  async loadGradients(signal: AbortSignal): Promise<void> {
    const { made, shown, run, other } = this.#compare;
    const ways = shown?.ways;
    if (!ways || !made || made.why_no_kernels !== null) return;
    const key = this.gradientsKey(ways, made);
    if (this.gradients?.key === key) return;
    const [one, two] = this.#losses(ways.of, ways.label);
    const ask = (id: string, { trace }: Scene, layer: string, of: LossQuery) =>
      api.parameterGradients(id, trace.photo.id, { ...of, layer, name: 'weight' }, signal);
    try {
      const [first, second] = await Promise.all([
        ask(run, ways.of.first, made.first, one),
        ask(other, ways.of.second, made.second, two)
      ]);
      if (signal.aborted) return;
      this.untold = null;
      this.gradients = { key, first, second };
    } catch (thrown) {
      if (!signal.aborted) this.untold = refusal(thrown);
    }
  }

  leave(): void {
    this.#equations.drop();
  }

  // ------------------------------------------------------------ inside

  #key(both: Both): string | null {
    const truth = this.truth?.truth;
    return truth ? `${both.key} ${truth}` : null;
  }

  #losses({ first, second, steps }: Both, label: string): [LossQuery, LossQuery] {
    const of = ({ trace }: Scene, at: number | undefined) => ({
      label,
      weights_sha256: trace.weights_sha256,
      step: at
    });
    return [of(first, steps[0]), of(second, steps[1])];
  }

  /** The same place in the second's maps, which may have another size. */
  #carried(match: LayerMatchMessage, ways: Ways, cell: { row: number; column: number }) {
    const one = ways.first.scene.layer(match.first);
    const other = ways.second.scene.layer(match.second);
    return one && other ? carry(cell, mapSize(one), mapSize(other)) : cell;
  }
}

/** A refusal is an answer as well; that nobody waits any longer is none. */
async function answered(asked: Promise<EquationMessage>): Promise<EquationMessage | Refused> {
  try {
    return await asked;
  } catch (thrown) {
    const problem = refusal(thrown);
    if (!problem) throw thrown;
    return problem;
  }
}

/** The photo as a pair of layers whose units are its colours. */
export function photoMatch(first: Scene, second: Scene): LayerMatchMessage {
  const [one, other] = [first.layer('photo'), second.layer('photo')];
  return {
    first: 'photo',
    second: 'photo',
    kind: 'photo',
    how: 'colours',
    units: [0, 1, 2],
    num_second: 3,
    similarity: [null, null, null],
    mean_similarity: null,
    measured_at: null,
    has_equal_maps: String(one?.shape) === String(other?.shape),
    channels: null,
    distance: null,
    weights_layer: null,
    why: null,
    why_no_kernels: null
  };
}
