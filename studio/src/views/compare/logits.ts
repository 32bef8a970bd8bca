/** Where both ways back begin: losses and gradients at the logits, in digits that follow from each other. */
import { lossFormula, atLogits, type AtLogit } from '../look/learn/figures';
import type { Scene } from '../look/scene';
import type { Ways } from './backwards.svelte';
import { between } from './digits';

/** −log(p) = loss, of one network. */
export interface Loss {
  p: string;
  loss: string;
}

export interface Losses {
  first: Loss;
  second: Loss;
  difference: string;
}

export function lossesOf({ label, of, first, second }: Ways): Losses {
  const formula = ({ trace }: Scene, loss: number) =>
    lossFormula(trace.probabilities[trace.classes.indexOf(label)] ?? NaN, loss);
  const one = formula(of.first, first.message.loss);
  const other = formula(of.second, second.message.loss);
  return { first: one, second: other, difference: between(one.loss, other.loss) ?? 'NaN' };
}

/** One class; null where a network does not know it. */
export interface Row {
  name: string;
  first: AtLogit | null;
  second: AtLogit | null;
  /** of the gradients */
  difference: string | null;
  /** shares, 0..1 */
  shares: readonly [number | null, number | null];
}

/** Every class that either knows, the first one's before what only the second knows. */
export function rowsOf(label: string, first: Scene, second: Scene): Row[] {
  const sides = [first, second].map(({ trace }) => {
    const found = atLogits(trace.probabilities, trace.classes.indexOf(label));
    return new Map(
      trace.classes.map((name, k) => [name, { at: found[k]!, p: trace.probabilities[k]! }])
    );
  });
  const names = [...new Set(sides.flatMap((side) => [...side.keys()]))];
  return names.map((name) => {
    const [one, other] = sides.map((side) => side.get(name) ?? null);
    const isBoth = one && other;
    return {
      name,
      first: one?.at ?? null,
      second: other?.at ?? null,
      difference: isBoth ? between(one.at.gradient, other.at.gradient) : null,
      shares: [one?.p ?? null, other?.p ?? null]
    };
  });
}
