/** What a photo shows, as an address and a question say it: a class, or of several labels those that are there. */
import type { TraceMessage } from '../../../api/types';

const separator = '|';

/** Of several labels; none of them is the separator alone, because an address keeps no empty word. */
export const joined = (names: readonly string[]): string => names.join(separator) || separator;

export const named = (text: string): string[] => text.split(separator).filter(Boolean);

export interface Truth {
  /** as it is asked for; null where there is no class */
  text: string | null;
  /** nobody has said it: what the network says stands for it */
  isAssumed: boolean;
}

export function truthOf(trace: TraceMessage, wanted: string | undefined): Truth {
  return trace.is_several ? ofSeveral(trace, wanted) : ofOne(trace, wanted);
}

function ofOne({ classes, probabilities, photo }: TraceMessage, wanted?: string): Truth {
  const said = [wanted, photo.label].find((name) => classes.includes(name ?? ''));
  const best = classes[probabilities.indexOf(Math.max(...probabilities))];
  return { text: said ?? best ?? null, isAssumed: said == null };
}

function ofSeveral({ classes, probabilities, photo }: TraceMessage, wanted?: string): Truth {
  const isKnown = wanted !== undefined && named(wanted).every((name) => classes.includes(name));
  const told = isKnown ? named(wanted) : photo.labels;
  const there = classes.filter((name, i) => told?.includes(name) ?? probabilities[i]! >= 0.5);
  return { text: joined(there), isAssumed: told == null };
}

/** With a label more, or without it; in the order of the classes. */
export function toggled(text: string, name: string, classes: readonly string[]): string {
  const there = named(text);
  return joined(classes.filter((each) => (each === name) !== there.includes(each)));
}
