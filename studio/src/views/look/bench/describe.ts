/** What a layer does, in one sentence. */
import type { EquationMessage, TracedLayerMessage } from '../../../api/types';
import { isMaxPool, isPool, isPointwise, wordFor } from '../../../network/kinds';

const pair = (sizes: readonly number[]): string => {
  const [one = 1, other = one] = sizes;
  return one === other ? `${one}` : `${one} × ${other}`;
};

const window = (kernel: readonly number[]): string =>
  `${kernel[0] ?? 1} × ${kernel[1] ?? kernel[0] ?? 1}`;

export function describe(
  equation: EquationMessage,
  layer: TracedLayerMessage,
  before: TracedLayerMessage | undefined
): string {
  const { kernel, stride, padding, kind } = equation;
  const source = before?.name ?? 'the photo';
  const read = new Set(equation.terms.map((term) => term.channel)).size;
  if (kind === 'conv') {
    const maps = read === 1 ? 'one map' : `${read} maps`;
    return `${window(kernel)} kernel over ${maps} of ${source}, stride ${pair(stride)}, padding ${pair(padding)}.`;
  }
  if (isPool(kind)) {
    const what = isMaxPool(kind) ? 'The largest' : 'The mean';
    return `${what} of each ${window(kernel)} window of the same unit of ${source}, stride ${pair(stride)}.`;
  }
  if (kind === 'normalise')
    return 'Each pixel value as a share of 255, then minus the colour’s mean, over its deviation.';
  if (kind === 'norm')
    return `Each number of ${source} times a scale plus a shift: batch normalisation with what it learned.`;
  if (isPointwise(kind)) return `${wordFor(kind)} of each number of the same unit of ${source}.`;
  if (kind === 'dense')
    return `A weight for each of the ${equation.terms.length} numbers of ${source}.`;
  if (kind === 'softmax')
    return `The ${equation.terms.length} logits of ${source} as probabilities that add up to 1.`;
  if (kind === 'flatten') return `All maps of ${source} in one row, map by map, row by row.`;
  return `${layer.text}: ${equation.formula}.`;
}
