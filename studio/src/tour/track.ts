/**
 * When a card's task is done: it must first not have been so, since the card was opened, and then be so.
 * What was there already counts for nothing.
 */
import type { Place } from '../state/place';

export interface Track {
  /** where the reader was when this view, layer and unit were entered */
  since: Place;
  /** it has been seen not done */
  isOpen: boolean;
  isDone: boolean;
}

type Reached = (now: Place, since: Place) => boolean;

export const begin = (now: Place, reached: Reached): Track => ({
  since: now,
  isOpen: !reached(now, now),
  isDone: false
});

const subject = ({ view, run, photo, layer, unit, query }: Place): string =>
  [view, run, view === 'sandbox' ? query['photo'] : photo, layer, unit].join('/');

export function follow(track: Track, now: Place, reached: Reached): Track {
  if (track.isDone) return track;
  const since = subject(now) === subject(track.since) ? track.since : now;
  const isReached = reached(now, since);
  if (!isReached) return { since, isOpen: true, isDone: false };
  return { since, isOpen: track.isOpen, isDone: track.isOpen };
}
