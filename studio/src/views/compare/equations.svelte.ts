/** How the two numbers at the marked cell came about: of activations, or of gradients. */
import { refusal, Refused } from '../../api/ask';
import { api } from '../../api/client';
import { Latest } from '../../api/latest';
import type { EquationMessage, LayerMatchMessage } from '../../api/types';
import { benchOf } from '../../network/kinds';
import type { Cell } from '../../state/place';
import { carry, mapSize, type Scene } from '../look/scene';
import { lossQueries } from './backwards.svelte';
import type { Compare } from './compare.svelte';

/** What one side answers: its equation, or why it was refused; null where there is nothing to take apart. */
export type Side = EquationMessage | Refused | null;

export interface Pair {
  key: string;
  /** the photo and weights that both belong to */
  scenes: { first: Scene; second: Scene };
  first: Side;
  second: Side;
}

export class Equations {
  /** the newest answer; an older one stays until the next is there */
  found = $state.raw<Pair | null>(null);
  #latest = new Latest<Pair>();

  /** Called from an effect. */
  ask({ match, unit, cell, shown, run, other }: Compare): void {
    if (!match || unit === null || !shown) return;
    const { both, ways, otherwise } = shown;
    if (otherwise) return; // an equation is of the photo and the weights as they are
    const partner = match.units[unit] ?? null;
    const key = [ways?.key ?? both.key, match.first, unit, cell?.row, cell?.column].join('/');
    const losses = ways && lossQueries(both, ways.label);
    const { first, second, steps } = both;

    const side = (at: 0 | 1, layer: string, of: number, place: Cell | null) => {
      const [id, { trace }] = at ? [other, second] : [run, first];
      const asked = { layer, unit: of, ...place };
      const here = { weights_sha256: trace.weights_sha256, step: steps[at] };
      return (signal: AbortSignal): Promise<Side> => {
        if (losses)
          return answered(
            api.gradientEquation(id, trace.photo.id, { ...losses[at], ...asked }, signal)
          );
        const found = trace.layers.find(({ name }) => name === layer);
        const isBox = !found || benchOf(found.kind, found.known) === 'box';
        if (isBox) return Promise.resolve(null);
        return answered(api.equation(id, trace.photo.id, { ...here, ...asked }, signal));
      };
    };
    const one = side(0, match.first, unit, cell);
    const two =
      partner === null ? null : side(1, match.second, partner, carried(match, both, cell));
    const fetch = async (signal: AbortSignal): Promise<Pair> => {
      const [own, others] = await Promise.all([one(signal), two?.(signal) ?? null]);
      return { key, scenes: { first, second }, first: own, second: others };
    };
    this.#latest.ask(
      key,
      fetch,
      (found) => (this.found = found),
      () => undefined
    );
  }

  leave(): void {
    this.#latest.drop();
  }
}

/** The same place in the second's maps, which may have another size. */
function carried(
  match: LayerMatchMessage,
  { first, second }: { first: Scene; second: Scene },
  cell: Cell | null
): Cell | null {
  const [one, other] = [first.layer(match.first), second.layer(match.second)];
  if (!cell) return null;
  if (one && other) return carry(cell, mapSize(one), mapSize(other));
  const [from, to] = [first.pixels, second.pixels]; // the photo is no layer of its own
  return carry(cell, [from.height, from.width], [to.height, to.width]);
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
