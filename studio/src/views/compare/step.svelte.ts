/** Steps of learning from the same photo in both: the same class, the same rate, as many steps. */
import { refusal, type Refused } from '../../api/ask';
import { api } from '../../api/client';
import { Latest } from '../../api/latest';
import type { Route } from '../../state/route.svelte';
import { rateOf, rateText } from '../look/learn/figures';
import { After, difference } from '../look/learn/gradients';
import { mostSteps } from '../look/learn/steps.svelte';
import { Scene } from '../look/scene';
import { lossQueries } from './backwards.svelte';
import type { Both, Otherwise } from './both';
import type { Compare } from './compare.svelte';

const settled_ms = 300; // the address follows when the slider rests

export class StepBeside {
  #compare: Compare;
  #route: Route;

  #found = $state.raw<Otherwise | null>(null);
  refused = $state.raw<{ key: string; problem: Refused } | null>(null);
  #moved = $state.raw<number | null>(null);
  #latest = new Latest<Otherwise>(12);
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(compare: Compare, route: Route) {
    [this.#compare, this.#route] = [compare, route];
  }

  /** null: each at the peak of its own recipe */
  rate: number | null = $derived.by(() => this.#moved ?? rateOf(this.#route.current.query['rate']));

  /** how many are taken, one after the other */
  times: number = $derived.by(() => {
    const said = Number(this.#route.current.query['times'] ?? 1);
    return Number.isInteger(said) ? Math.max(1, Math.min(mostSteps, said)) : 1;
  });

  /** null: there is none, which is said; undefined: not there yet. */
  of(both: Both): Otherwise | null | undefined {
    const key = this.#key(both);
    if (key === null || this.refused?.key === key) return null;
    return this.#found?.of === both ? this.#found : undefined;
  }

  /** Answers follow at once, the address when the slider rests; null: as the recipes have it. */
  learnAt(rate: number | null): void {
    this.#moved = rate;
    clearTimeout(this.#settling);
    const settle = () => {
      this.#moved = null;
      this.#compare.ask({ rate: rate === null ? undefined : rateText(rate) });
    };
    if (rate === null) settle();
    else this.#settling = setTimeout(settle, settled_ms);
  }

  take(times: number): void {
    const wanted = Math.max(1, Math.min(mostSteps, Math.round(times) || 1));
    this.#compare.ask({ times: wanted === 1 ? undefined : String(wanted) });
  }

  /** Called from an effect. */
  ask(): void {
    const { both, doing, run, other, back } = this.#compare;
    const label = back.truth?.truth;
    if (doing !== 'One step' || !both || !label) return;
    const key = this.#key(both)!;
    const [rate, times] = [this.rate, this.times];
    const own = {
      ...(rate !== null && { learning_rate: rate }),
      ...(times > 1 && { steps: times })
    };
    const [one, two] = lossQueries(both, label);
    const side = async (id: string, scene: Scene, of: typeof one, signal: AbortSignal) => {
      const { photo } = scene.trace;
      const asked = { ...of, ...own };
      const [message, found] = await Promise.all([
        api.learningStep(id, photo.id, asked, signal),
        api.activationsAfter(id, photo.id, asked, signal)
      ]);
      const trace = { ...scene.trace, probabilities: message.probabilities_after };
      const after = new After(new Scene(trace, scene.values, scene.pixels), found.values);
      return { message, turned: { after, change: difference(scene, after) } };
    };
    this.#latest.ask(
      key,
      async (signal) => {
        const [first, second] = await Promise.all([
          side(run, both.first, one, signal),
          side(other, both.second, two, signal)
        ]);
        const steps = [first.message, second.message] as const;
        return { key, of: both, first: first.turned, second: second.turned, steps };
      },
      (found) => ([this.#found, this.refused] = [found, null]),
      (thrown) => {
        const problem = refusal(thrown);
        if (problem) this.refused = { key, problem };
      }
    );
  }

  leave(): void {
    clearTimeout(this.#settling);
    this.#latest.drop();
  }

  #key(both: Both): string | null {
    const truth = this.#compare.back.truth?.truth;
    return truth ? [both.key, truth, this.rate ?? 'own', this.times].join(' ') : null;
  }
}
