/** The curves of the way back: from which units of the layers to the right a gradient comes. */
import type { EquationMessage, TracedLayerMessage } from '../api/types';
import { relative, type Edge } from './edges';
import { isAnswer, isUnitwise } from './kinds';

/**
 * Every unit that reads this one; `from` is its layer. With the equation of one of its cells, the
 * strength is what each unit sends back there; without it, nobody has asked yet and all are alike.
 */
export function edgesBack(
  layer: TracedLayerMessage,
  unit: number,
  layers: readonly TracedLayerMessage[],
  equation: EquationMessage | null = null
): Edge[] {
  if (equation) {
    const strengths = relative(equation.channels.map((channel) => channel.sum));
    return equation.channels.flatMap(({ channel }, i) => {
      const reader = equation.readers.find(
        (r) => channel >= r.first && channel < r.first + r.units
      );
      if (!reader) return [];
      const strength = strengths[i] ?? 0;
      return [{ from: reader.layer, unit: channel - reader.first, strength, isSigned: true }];
    });
  }
  return layers
    .filter((reader) => !isAnswer(reader) && reader.inputs.includes(layer.name))
    .flatMap((reader) =>
      unitsThatRead(reader, layer, unit).map((at) => ({
        from: reader.name,
        unit: at,
        strength: 0.3,
        isSigned: false
      }))
    );
}

function unitsThatRead(reader: TracedLayerMessage, of: TracedLayerMessage, unit: number): number[] {
  const units = reader.shape[0] ?? 0;
  if (!reader.known) return [];
  if (isUnitwise(reader.kind)) return [unit];
  if (reader.kind === 'flatten') {
    const cells = (of.shape[1] ?? 1) * (of.shape[2] ?? 1);
    return Array.from({ length: cells }, (_, i) => unit * cells + i);
  }
  if (reader.kind === 'conv' || reader.kind === 'dense')
    return Array.from({ length: units }, (_, i) => i);
  return units === of.shape[0] ? [unit] : [];
}
