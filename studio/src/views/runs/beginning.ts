/** What a run began with, in the few words that a list has room for. */
import type { RunSummary } from '../../api/types';

export interface Beginning {
  /** what the name is to this run: from, a copy of */
  how: string;
  /** as it is drawn */
  name: string;
  /** all that is known of it, in a sentence */
  whole: string;
  /** a run of one's own that is still there; null: it cannot be looked at */
  run: string | null;
  /** of weights that others published, where they named one */
  licence: string | null;
}

type Said = Pick<RunSummary, 'start' | 'licence' | 'edited'>;

/** `null` where it began with untrained weights; `runs` are the names of those that are there. */
export function beginning(run: Said, runs: ReadonlySet<string>): Beginning | null {
  const { start, licence, edited } = run;
  if (start === null) return null;
  const [name = '', revision] = start.split('@', 2);
  const how = edited ? 'a copy of' : 'from';
  const of = { how, run: null, licence };
  if (start.startsWith('hf:/')) {
    const last = start.replace(/\/+$/, '').split('/').at(-1);
    return {
      ...of,
      name: `hf:…/${last}`,
      whole: published(`the folder ${start.slice(3)}`, licence)
    };
  }
  if (start.startsWith('hf:')) {
    const commit = revision ? `, revision ${revision.slice(0, 12)}` : '';
    return { ...of, name, whole: published(`${name}${commit}`, licence) };
  }
  if (runs.has(start)) {
    const whole = edited
      ? `A copy of the network of ${start}, changed by hand.`
      : `It began with the weights of ${start}.`;
    return { ...of, name: start, whole, run: start };
  }
  const whole =
    start === 'cifar10'
      ? 'It began with the weights that come with the program: ten everyday classes, learned from CIFAR-10.'
      : `It began with the weights of ${start}, a run that is not in this list.`;
  return { ...of, name: start, whole };
}

const published = (where: string, licence: string | null) =>
  `It began with the weights of ${where}; licence ${licence ?? 'not named'}.`;
