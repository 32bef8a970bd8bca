/** The one class that is taken for the true one on both sides: a loss of two classes could not be compared. */

export interface Sayer {
  classes: readonly string[];
  probabilities: readonly number[];
  /** what the photo shows, by its own data set; null where nobody said */
  label: string | null;
}

export interface Truth {
  /** those that both know, in the first one's order */
  classes: readonly string[];
  /** null: they have none in common */
  truth: string | null;
  /** what there is to say of the choice; empty where the label is taken */
  note: string;
}

const said = ({ classes, probabilities }: Sayer): string | undefined =>
  classes[probabilities.indexOf(Math.max(...probabilities))];

/** `wanted`: the class that is asked for, by the address. */
export function truthOf(first: Sayer, second: Sayer, wanted: string | undefined): Truth {
  const known = new Set(second.classes);
  const classes = first.classes.filter((name) => known.has(name));
  const isBoth = (name: string | null | undefined): name is string =>
    name !== null && name !== undefined && classes.includes(name);
  if (!classes.length) {
    const note =
      'They have no class in common: there is no loss that both could be asked for, and so no way back to compare.';
    return { classes, truth: null, note };
  }
  const labels = [first.label, second.label];
  const guesses = [said(first), said(second), classes[0]];
  const truth = [wanted, ...labels, ...guesses].find(isBoth) ?? null;
  return { classes, truth, note: noteOf(labels, truth, isBoth(wanted), isBoth) };
}

function noteOf(
  [first, second]: readonly (string | null)[],
  truth: string | null,
  isWanted: boolean,
  isBoth: (name: string | null | undefined) => boolean
): string {
  if (first && second && first !== second)
    return `its label is ${first} for the first, ${second} for the second`;
  const label = first ?? second ?? null;
  if (label === null)
    return isWanted ? 'nobody named it' : `nobody named it: ${truth} is taken; choose what it is`;
  if (label === truth) return '';
  return isBoth(label)
    ? `its label is ${label}`
    : `its label, ${label}, is no class of both: ${truth} is taken`;
}
