/** In one sentence, where a gradient comes from. */
import type { EquationMessage, TracedLayerMessage } from '../../../api/types';
import { isMaxPool, isPointwise, isPool } from '../../../network/kinds';
import { isSpatial } from '../scene';

export function tell(equation: EquationMessage, layer: TracedLayerMessage): string {
  const readers = [...new Set(equation.readers.map((reader) => reader.layer))];
  const by = readers.join(' and ');
  const cell = isSpatial(layer) ? 'This cell' : 'This number';
  const { kind } = equation;
  if (kind === 'loss')
    return equation.formula.includes('labels')
      ? 'Here the way back begins: its probability, minus 1 if the label is there, divided by the number of labels.'
      : 'Here the way back begins: its probability, minus 1 for the true class.';
  if (!readers.length) return `${cell} is read by nothing that the loss depends on.`;
  if (readers.length > 1) return `${by} read it; what comes back from them is added up.`;
  if (kind === 'conv')
    return `Every window of ${by} that read this cell sends its gradient back, times the weight that it read it with: the kernel, turned.`;
  if (kind === 'dense')
    return `Every unit of ${by} sends its gradient back, times the weight that it read this number with.`;
  if (isMaxPool(kind)) {
    const won = equation.terms.some((term) => term.weight !== 0);
    return won
      ? `It won its window of ${by}: the gradient goes to it alone.`
      : `It did not win its window of ${by}: nothing comes back.`;
  }
  if (isPool(kind)) return `Each window of ${by} sends the same share back to all of its cells.`;
  if (isPointwise(kind))
    return `The gradient at ${by}, times the slope of the function at this number.`;
  if (kind === 'norm') return `The gradient at ${by}, times the scale of the normalisation.`;
  if (kind === 'normalise') return `The gradient at ${by}, for one step of a pixel’s 0 to 255.`;
  if (kind === 'flatten') return `The same number stands in the row that ${by} made of all maps.`;
  return `The gradient at ${by}, times its slope.`;
}
