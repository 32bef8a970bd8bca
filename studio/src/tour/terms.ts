/** Words of a text that have a card. */
import type { CardId } from './cards';
import { terms } from './words';

export interface Piece {
  text: string;
  /** the card that it opens; null for what is only text */
  card: CardId | null;
}

const patterns = terms.map(([pattern, card]) => ({
  card,
  is: new RegExp(`^(?:${pattern})$`, 'iu')
}));
const any = new RegExp(
  `(?<![\\p{L}\\d_])(${terms.map(([pattern]) => pattern).join('|')})(?![\\p{L}\\d_])`,
  'giu'
);

/** The text in pieces that make it up again; each card is opened by the first of its words only. */
export function marked(text: string): Piece[] {
  const pieces: Piece[] = [];
  const seen = new Set<CardId>();
  let end = 0;
  const plain = (to: number) => {
    if (to > end) pieces.push({ text: text.slice(end, to), card: null });
  };
  for (const match of text.matchAll(any)) {
    const card = patterns.find(({ is }) => is.test(match[0]))?.card;
    if (!card || seen.has(card)) continue;
    seen.add(card);
    plain(match.index);
    pieces.push({ text: match[0], card });
    end = match.index + match[0].length;
  }
  plain(text.length);
  return pieces;
}
