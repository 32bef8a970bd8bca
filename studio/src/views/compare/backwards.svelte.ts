/** The way back through both: the loss of one class, and what came back to every cell and kernel. */
import { refusal, type Refused } from '../../api/ask';
import { api, type LossQuery } from '../../api/client';
import type { BackwardMessage, LayerMatchMessage } from '../../api/types';
import type { Route } from '../../state/route.svelte';
import { gradientScene } from '../look/learn/gradients';
import type { Scene } from '../look/scene';
import type { Both, Tensors } from './both';
import type { Compare } from './compare.svelte';
import { truthOf, type Sayer, type Truth } from './truth';

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

const sayer = ({ trace }: Scene): Sayer => ({ ...trace, label: trace.photo.label });

export class Backwards {
  #compare: Compare;
  #route: Route;

  #found = $state.raw<Ways | null>(null);
  /** of the way back; of the kernels' gradients */
  refused = $state.raw<{ key: string; problem: Refused } | null>(null);
  untold = $state.raw<Refused | null>(null);
  /** of the weights that made the selected unit */
  gradients = $state.raw<Tensors | null>(null);

  constructor(compare: Compare, route: Route) {
    [this.#compare, this.#route] = [compare, route];
  }

  isOn: boolean = $derived.by(() => this.#compare.doing === 'Backwards');

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
    const [one, two] = lossQueries(both, label);
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

  async loadGradients(signal: AbortSignal): Promise<void> {
    const { made, shown, run, other } = this.#compare;
    const ways = shown?.ways;
    if (!ways || !made || made.why_no_kernels !== null) return;
    const key = this.gradientsKey(ways, made);
    if (this.gradients?.key === key) return;
    const [one, two] = lossQueries(ways.of, ways.label);
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

  // ------------------------------------------------------------ inside

  #key(both: Both): string | null {
    const truth = this.truth?.truth;
    return truth ? `${both.key} ${truth}` : null;
  }
}

/** The loss of one class, as either side is asked for it. */
export function lossQueries({ first, second, steps }: Both, label: string): [LossQuery, LossQuery] {
  const of = ({ trace }: Scene, step: number | undefined) => ({
    label,
    weights_sha256: trace.weights_sha256,
    step
  });
  return [of(first, steps[0]), of(second, steps[1])];
}
