/** Where moments stand on the slider, and what is said of them. Pure. */
import type { LayerSize, MomentMessage } from '../../api/types';
import { count, percent } from '../../format/number';

const activations: readonly string[] = [
  ...['relu', 'relu6', 'leaky_relu', 'gelu', 'silu', 'tanh', 'sigmoid', 'hardswish', 'elu', 'mish']
];

/** The moment at a step, else the nearest one; of equally near ones the earlier. −1 without moments. */
export function nearestTo(moments: readonly MomentMessage[], step: number): number {
  let best = -1;
  moments.forEach((moment, i) => {
    const away = Math.abs(moment.step - step);
    if (best < 0 || away < Math.abs(moments[best]!.step - step)) best = i;
  });
  return best;
}

/** The newest test accuracy that was measured up to this moment, and at which step. */
export function accuracyAt(
  moments: readonly MomentMessage[],
  index: number
): { accuracy: number; step: number } | null {
  for (let i = index; i >= 0; i--) {
    const accuracy = moments[i]?.test_accuracy ?? null;
    if (accuracy !== null) return { accuracy, step: moments[i]!.step };
  }
  return null;
}

/** step 240, epoch 2 */
export function named({ step, epoch }: MomentMessage): string {
  return step === 0 ? 'step 0, before anything was learned' : `step ${count(step)}, epoch ${epoch}`;
}

export function accuracyWords(moments: readonly MomentMessage[], index: number): string {
  const found = accuracyAt(moments, index);
  if (!found) return 'test accuracy not measured yet';
  const at = found.step === moments[index]?.step ? '' : ` (at step ${count(found.step)})`;
  return `test accuracy ${percent(found.accuracy)}${at}`;
}

/** The test accuracy where it was measured at this moment, else that of the photos that are followed. */
export function rateWords(
  moments: readonly MomentMessage[],
  index: number,
  followed: {
    steps: readonly number[];
    accuracy: readonly number[];
    photos: { length: number };
  } | null
): string {
  const moment = moments[index];
  const at = followed?.steps.indexOf(moment?.step ?? -1) ?? -1;
  if (moment?.test_accuracy !== null || !followed || at < 0) return accuracyWords(moments, index);
  return `${percent(followed.accuracy[at])} of ${followed.photos.length} test photos right`;
}

export interface Tick {
  index: number;
  text: string;
}

/** The ends of epochs on a slider on which every moment is as wide as the next. */
export function epochTicks(moments: readonly MomentMessage[], most: number): Tick[] {
  const ends = moments
    .map(({ epoch }, index) => ({ index, epoch }))
    .filter(({ index, epoch }) => epoch > 0 && moments[index + 1]?.epoch !== epoch);
  const every = Math.max(1, Math.ceil(ends.length / Math.max(1, most)));
  return ends
    .filter(({ epoch }) => epoch % every === 0 || every === 1)
    .map(({ index, epoch }) => ({ index, text: String(epoch) }));
}

export interface Choice {
  /** the convolution whose kernels are drawn */
  layer: string;
  /** the layer whose maps are drawn: its activation function, where one follows */
  maps: string;
  units: number;
}

/** Convolutions that can be looked at over time, and what follows each of them. */
export function choices(layers: readonly LayerSize[], kept: readonly string[]): Choice[] {
  return layers.flatMap((layer, i) => {
    if (layer.kind !== 'conv' || !kept.includes(layer.name)) return [];
    const after = layers.slice(i + 1, i + 3);
    const end = after.findIndex(({ kind }) => kind === 'conv');
    const own = end < 0 ? after : after.slice(0, end);
    const found = own.find(({ kind }) => activations.includes(kind));
    return [{ layer: layer.name, maps: (found ?? layer).name, units: layer.shape[0] ?? 0 }];
  });
}

/** A colour for each class, told apart by hue; in light and in dark. */
export function hue(index: number, classes: number): string {
  const degrees = (25 + (360 * index) / Math.max(1, classes)).toFixed(0);
  return `light-dark(oklch(0.55 0.14 ${degrees}), oklch(0.76 0.12 ${degrees}))`;
}
