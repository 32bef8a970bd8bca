/** What became of both, class by class, in digits that follow from each other. Pure. */
import type { Otherwise } from './both';
import { between } from './digits';

/** One network's number, before and after; `points` is the difference of what is shown. */
export interface Was {
  before: number;
  after: number;
  shown: readonly [string, string];
  points: string;
}

export interface Row {
  name: string;
  /** null: it does not know this class */
  first: Was | null;
  second: Was | null;
}

const hundredths = (share: number) =>
  Number.isFinite(share) ? (100 * share).toFixed(1) : 'no number';

function was(before: number, after: number): Was {
  const shown = [hundredths(before), hundredths(after)] as const;
  return { before, after, shown, points: between(...shown) ?? '–' };
}

/** Every class that either knows, the first one's before what only the second knows. */
export function rowsOf({ of, first, second }: Otherwise): Row[] {
  const sides = [
    [of.first, first.after],
    [of.second, second.after]
  ].map(
    ([before, after]) =>
      new Map(
        before!.trace.classes.map((name, k) => [
          name,
          was(before!.trace.probabilities[k]!, after!.trace.probabilities[k]!)
        ])
      )
  );
  const names = [...new Set(sides.flatMap((side) => [...side.keys()]))];
  return names.map((name) => ({
    name,
    first: sides[0]!.get(name) ?? null,
    second: sides[1]!.get(name) ?? null
  }));
}
