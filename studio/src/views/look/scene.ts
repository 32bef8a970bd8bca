/**
 * One photo inside one network: the trace and its numbers, which always belong together.
 * Everything here is looked up, nothing is computed but extents.
 */
import type { Pixels } from '../../api/ask';
import type { TraceMessage, TracedLayerMessage } from '../../api/types';
import { isAnswer } from '../../network/kinds';
import { extentOf, type Cells } from '../../scale/raster';

export const scales = ['unit', 'layer', 'network'] as const;
export type Scale = (typeof scales)[number];

export class Scene {
  readonly trace: TraceMessage;
  readonly values: Float32Array;
  readonly pixels: Pixels;
  #layers: Map<string, TracedLayerMessage>;
  #extents = new Map<string, number>();

  /** `more`: what can be looked up by its name and is no layer of the network: the photo */
  constructor(
    trace: TraceMessage,
    values: Float32Array,
    pixels: Pixels,
    more: readonly TracedLayerMessage[] = []
  ) {
    this.trace = trace;
    this.values = values;
    this.pixels = pixels;
    this.#layers = new Map([...trace.layers, ...more].map((layer) => [layer.name, layer]));
  }

  get layers(): readonly TracedLayerMessage[] {
    return this.trace.layers;
  }

  layer(name: string | undefined): TracedLayerMessage | undefined {
    return name === undefined ? undefined : this.#layers.get(name);
  }

  /** The layer that this one reads first; undefined for the photo. */
  before(layer: TracedLayerMessage): TracedLayerMessage | undefined {
    return this.layer(layer.inputs[0]);
  }

  /** One unit's map; a number of a vector is a map of one cell. `layer` may be another scene's. */
  map(layer: TracedLayerMessage, unit: number): Cells {
    const [height, width] = mapSize(layer);
    const { offset } = this.#layers.get(layer.name) ?? layer;
    return { values: this.values, offset: offset + unit * height * width, width, height };
  }

  value(layer: TracedLayerMessage, unit: number, row = 0, column = 0): number {
    const map = this.map(layer, unit);
    return map.values[map.offset + row * map.width + column] ?? NaN;
  }

  /** All numbers of a layer. */
  all(layer: TracedLayerMessage): Float32Array {
    const size = layer.shape.reduce((a, b) => a * b, 1);
    const { offset } = this.#layers.get(layer.name) ?? layer;
    return this.values.subarray(offset, offset + size);
  }

  /** The activation at which the colour saturates. Probabilities have a scale of their own. */
  extent(scale: Scale, layer: TracedLayerMessage, unit: number): number {
    const key = scale === 'network' ? '' : scale === 'layer' ? layer.name : `${layer.name}/${unit}`;
    const known = this.#extents.get(key);
    if (known !== undefined) return known;
    const found = this.#measure(scale, layer, unit);
    this.#extents.set(key, found);
    return found;
  }

  #measure(scale: Scale, layer: TracedLayerMessage, unit: number): number {
    if (scale === 'network') {
      const coloured = this.layers.filter((l) => !isAnswer(l));
      return Math.max(0, ...coloured.map((l) => this.extent('layer', l, 0)));
    }
    if (scale === 'layer') return extentOf(this.all(layer));
    const { offset, width, height } = this.map(layer, unit);
    return extentOf(this.values, offset, offset + width * height);
  }

  /** The units with the largest activations, up to their sign, in their own order; at least one. */
  mostActive(layer: TracedLayerMessage, most: number, isLiving = false): number[] {
    const all = Array.from({ length: layer.shape[0] ?? 0 }, (_, unit) => unit);
    const living = isLiving ? all.filter((unit) => layer.active_units[unit]) : all;
    const units = living.length ? living : all.slice(0, 1);
    const size = new Map(units.map((unit) => [unit, this.extent('unit', layer, unit)]));
    return units
      .sort((a, b) => size.get(b)! - size.get(a)! || a - b)
      .slice(0, most)
      .sort((a, b) => a - b);
  }

  /** Where a unit is most active, in either direction. */
  strongest(layer: TracedLayerMessage, unit: number): { row: number; column: number } {
    const { offset, width, height } = this.map(layer, unit);
    let best = 0;
    for (let i = 0; i < width * height; i++) {
      if (Math.abs(this.values[offset + i]!) > Math.abs(this.values[offset + best]!)) best = i;
    }
    return { row: Math.floor(best / width), column: best % width };
  }
}

/** [height, width] of a layer's maps. */
export function mapSize(layer: TracedLayerMessage): [number, number] {
  return layer.shape.length === 3 ? [layer.shape[1]!, layer.shape[2]!] : [1, 1];
}

export const isSpatial = (layer: TracedLayerMessage): boolean => layer.shape.length === 3;

/** The same place in a map of another size. */
export function carry(
  cell: { row: number; column: number },
  from: readonly [number, number],
  to: readonly [number, number]
): { row: number; column: number } {
  const at = (i: number, small: number, large: number) =>
    Math.max(0, Math.min(large - 1, Math.floor(((i + 0.5) * large) / small)));
  return { row: at(cell.row, from[0], to[0]), column: at(cell.column, from[1], to[1]) };
}
