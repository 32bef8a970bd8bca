/** What is done with a convolution's map afterwards, unit by unit: normalisation, activation. */
import type { TracedLayerMessage } from '../../../api/types';
import { isAffine, isPointwise, wordFor } from '../../../network/kinds';

export interface Link {
  layer: TracedLayerMessage;
  /** what leads to it, as written between the maps */
  word: string;
}

/** The layer itself, then those that read nothing else and work cell by cell. */
export function chain(
  layer: TracedLayerMessage,
  layers: readonly TracedLayerMessage[],
  hasBias: boolean
): Link[] {
  const links: Link[] = [{ layer, word: hasBias ? 'Σ + bias =' : 'Σ =' }];
  for (;;) {
    const last = links.at(-1)!.layer;
    const readers = layers.filter((l) => l.inputs.includes(last.name));
    const [next] = readers;
    const isCellwise = next && (isAffine(next.kind) || isPointwise(next.kind));
    if (!next || readers.length > 1 || next.inputs.length > 1 || !isCellwise) return links;
    links.push({ layer: next, word: `${wordFor(next.kind)} →` });
  }
}
