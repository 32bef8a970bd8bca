/** The address of a lesson: which card, which cards at all, what is hidden, and where it begins. */
import { href, type Guide, type Place } from '../state/place';
import { isCard } from './cards';

export interface Lesson {
  tour: string | undefined;
  steps: readonly string[];
  hide: readonly string[];
  /** this run and place; else the reader's newest run, where the card leads to its own place */
  isOwn: boolean;
}

/** Ids as they are typed: `kernel, stride`. */
export const idsOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export const unknown = (steps: readonly string[]): string[] => steps.filter((id) => !isCard(id));

export function lesson(place: Place, { tour, steps, hide, isOwn }: Lesson): string {
  const guide: Guide = { tour, steps: steps.filter(isCard), hide };
  if (isOwn) return href({ ...place, guide });
  // with a card the place follows from it; without one at least the view
  return href(tour ? { view: 'home', guide } : { view: place.view, query: place.query, guide });
}
