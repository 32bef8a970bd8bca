/** Which card of the tour explains a kind of layer. Pure. */
import { isPointwise, isPool } from '../network/kinds';
import type { CardId } from './cards';

const own: Readonly<Record<string, CardId>> = {
  normalise: 'normalising',
  norm: 'normalising',
  conv: 'kernel',
  flatten: 'flatten',
  dense: 'dense',
  softmax: 'softmax'
};

export function cardOf(kind: string): CardId | null {
  if (isPool(kind)) return 'pooling';
  return isPointwise(kind) ? 'relu' : (own[kind] ?? null);
}
