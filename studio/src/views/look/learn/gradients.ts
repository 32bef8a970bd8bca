/** Other numbers in the same network: gradients, activations after a step, what a step changes. */
import type { BackwardMessage, TracedLayerMessage } from '../../../api/types';
import { Scene } from '../scene';

/** The photo as what can be selected on the way back: its three colours. */
export function photoLayer({ pixels }: Scene, offset = 0): TracedLayerMessage {
  return {
    name: 'photo',
    kind: 'photo',
    text: 'the photo',
    shape: [3, pixels.height, pixels.width],
    offset,
    minimum: 0,
    maximum: 0,
    inputs: [],
    parameters: 0,
    receptive_field_px: 1,
    known: true,
    active_units: [true, true, true]
  };
}

const sizeOf = (layer: TracedLayerMessage) => layer.shape.reduce((a, b) => a * b, 1);

/** Whether any cell of a unit differs from zero, unit by unit. */
function active(layer: TracedLayerMessage, values: Float32Array, offset: number): boolean[] {
  const units = layer.shape[0] ?? 0;
  const size = sizeOf(layer) / Math.max(1, units);
  return Array.from({ length: units }, (_, unit) =>
    values.subarray(offset + unit * size, offset + (unit + 1) * size).some((value) => value !== 0)
  );
}

/** The gradients as a scene. A layer that the loss does not depend on has zeros: that is its gradient. */
export function gradientScene(scene: Scene, back: BackwardMessage, found: Float32Array): Scene {
  const offsets = new Map(back.layers.map((layer) => [layer.name, layer.offset]));
  const without = scene.layers.filter((layer) => !offsets.has(layer.name));
  const values = new Float32Array(found.length + Math.max(0, ...without.map(sizeOf)));
  values.set(found);
  const layers = scene.layers.map((layer) => {
    const offset = offsets.get(layer.name) ?? found.length;
    return { ...layer, offset, active_units: active(layer, values, offset) };
  });
  const photo = photoLayer(scene, offsets.get('photo') ?? found.length);
  return new Scene({ ...scene.trace, layers }, values, scene.pixels, [photo]);
}

/** Activations after the step, in the colours of those before it: the same value, the same colour. */
export class After extends Scene {
  #before: Scene;

  constructor(before: Scene, values: Float32Array) {
    super(before.trace, values, before.pixels);
    this.#before = before;
  }

  override extent(...of: Parameters<Scene['extent']>): number {
    return this.#before.extent(...of);
  }
}

/** After minus before. */
export function difference(before: Scene, after: Scene): Scene {
  const values = after.values.map((value, i) => value - before.values[i]!);
  const layers = before.layers.map((layer) => ({
    ...layer,
    active_units: active(layer, values, layer.offset)
  }));
  return new Scene({ ...before.trace, layers }, values, before.pixels);
}
