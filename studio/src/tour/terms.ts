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

const cardsOfKinds: Readonly<Record<string, CardId>> = {
  normalise: 'normalising',
  norm: 'normalising',
  scale: 'normalising',
  layer_norm: 'normalising',
  group_norm: 'normalising',
  conv: 'kernel',
  relu: 'relu',
  flatten: 'flatten',
  dense: 'dense',
  softmax: 'softmax'
};

/** The card about a kind of layer; null: there is none. */
export const cardOfKind = (kind: string): CardId | null =>
  kind.endsWith('_pool') ? 'pooling' : (cardsOfKinds[kind] ?? null);
