/**
 * What the cards say of the user's own network, looked up in the server's answers: which layer is the
 * first convolution, how large its kernels are, how many weights that makes. Pure.
 *
 *     weights = units · (channels / groups) · kernel height · kernel width      biases = parameters − weights
 *     size'   = ⌊(size + 2 · padding − dilation · (kernel − 1) − 1) / stride⌋ + 1
 *
 * Kernel, stride, padding, dilation and groups are read from the layer's text, which is written as in
 * a network's: `conv 16 k5 s2 p2 d1 g1`, `maxpool 2`, with `3x5` where rows and columns differ.
 */
import type {
  OpenedMessage,
  ReportMessage,
  RunDetail,
  RunSummary,
  TraceMessage
} from '../api/types';
import { isMaxPool, isPointwise, isPool } from '../network/kinds';
import { total } from '../state/counts';

export type Pair = readonly [rows: number, columns: number];

export interface LayerFact {
  name: string;
  kind: string;
  text: string;
  shape: readonly number[];
  parameters: number;
  /** px of the photo that one cell sees, on a side; null where that has no meaning */
  sees: number | null;
  /** what it reads first; `photo` for the first layer */
  reads: string;
  /** units that are not 0 everywhere for this photo; null: not known */
  alive: readonly boolean[] | null;
  /** least and largest number for this photo; null: not known */
  range: Pair | null;
}

/** A convolution or a pooling: what is slid over which maps. */
export interface Sliding {
  layer: LayerFact;
  kernel: Pair;
  stride: Pair;
  padding: Pair;
  dilation: Pair;
  /** [channels, height, width] of what it reads */
  input: readonly [number, number, number];
  /** channels that one unit reads */
  channels: number;
  weights: number;
  biases: number;
}

export interface Facts {
  run: string;
  photo: string | null;
  label: string | null;
  /** rows and columns of the photo as the network gets it */
  image: Pair;
  classes: readonly string[];
  /** photos of the training and of the test split */
  train: number;
  test: number;
  layers: readonly LayerFact[];
  parameters: number;
  batch: number;
  optimizer: string;
  peakRate: number;
  epochs: number;
  epochsDone: number;
  /** it learns no more */
  isOver: boolean;
  probabilities: readonly number[] | null;
  loss: number | null;
  report: Pick<
    ReportMessage,
    'accuracy' | 'interval' | 'images' | 'chance' | 'train_accuracy'
  > | null;
}

/** What is read of a run. */
export type Told = Pick<RunDetail, 'dataset' | 'layers' | 'parameters' | 'recipe' | 'watched'> & {
  summary: Pick<RunSummary, 'id' | 'state' | 'epoch' | 'epochs'>;
};

/** Of the trace where there is one, since Look shows its layers; else of what the run says of itself. */
export function factsOf(
  detail: Told,
  trace: TraceMessage | null,
  report: ReportMessage | null
): Facts {
  const { dataset, recipe, summary } = detail;
  return {
    run: summary.id,
    photo: trace?.photo.id ?? detail.watched[0] ?? null,
    label: trace?.photo.label ?? null,
    image: [dataset.image_px, dataset.image_px],
    classes: dataset.classes,
    train: total(dataset.counts, 'train'),
    test: total(dataset.counts, 'test'),
    layers: trace ? trace.layers.map(traced) : detail.layers.map(measured),
    parameters: detail.parameters,
    batch: Number(recipe['batch'] ?? 0),
    optimizer: String(recipe['optimizer'] ?? ''),
    peakRate: Number(recipe['peak_lr'] ?? 0),
    epochs: summary.epochs,
    epochsDone: summary.epoch,
    isOver: ['finished', 'stopped', 'failed'].includes(summary.state),
    probabilities: trace?.probabilities ?? null,
    loss: trace?.loss ?? null,
    report
  };
}

/** Of a network that is no run: nothing is known of a training. */
export const factsOfNetwork = (network: OpenedMessage, trace: TraceMessage | null): Facts => ({
  run: network.id,
  photo: trace?.photo.id ?? null,
  label: trace?.photo.label ?? null,
  image: [network.image_px, network.image_px],
  classes: network.classes,
  train: 0,
  test: 0,
  layers: (trace?.layers ?? []).map(traced),
  parameters: network.parameters,
  batch: 0,
  optimizer: '',
  peakRate: 0,
  epochs: 0,
  epochsDone: 0,
  isOver: true,
  probabilities: trace?.probabilities ?? null,
  loss: trace?.loss ?? null,
  report: null
});

const traced = (layer: TraceMessage['layers'][number]): LayerFact => ({
  ...layer,
  sees: layer.receptive_field_px,
  reads: layer.inputs[0] ?? 'photo',
  alive: layer.active_units,
  range: [layer.minimum, layer.maximum]
});

const measured = (
  layer: RunDetail['layers'][number],
  i: number,
  all: RunDetail['layers']
): LayerFact => ({
  ...layer,
  sees: layer.receptive_field_px,
  reads: all[i - 1]?.name ?? 'photo',
  alive: null,
  range: null
});

export const isMap = ({ shape }: LayerFact): boolean => shape.length === 3;
export const numbers = ({ shape }: Pick<LayerFact, 'shape'>): number =>
  shape.reduce((product, size) => product * size, 1);
/** [height, width] of its maps. */
export const mapOf = ({ shape }: LayerFact): Pair => [shape[1] ?? 1, shape[2] ?? 1];

export const first = (facts: Facts, is: (layer: LayerFact) => boolean): LayerFact | undefined =>
  facts.layers.find(is);
export const last = (facts: Facts, is: (layer: LayerFact) => boolean): LayerFact | undefined =>
  facts.layers.findLast(is);

export const isConvolution = ({ kind, shape }: LayerFact): boolean =>
  kind === 'conv' && shape.length === 3;

const number = (text: string, letter: string, otherwise: Pair): Pair => {
  const match = new RegExp(`\\s${letter}(\\d+)(?:x(\\d+))?(?=\\s|$)`).exec(text);
  return match ? [Number(match[1]), Number(match[2] ?? match[1])] : otherwise;
};

/** What a layer reads, where that is a layer. */
export const below = (facts: Facts, { reads }: LayerFact): LayerFact | undefined =>
  facts.layers.find(({ name }) => name === reads);

const sizeBelow = (facts: Facts, layer: LayerFact): readonly [number, number, number] => {
  const [channels = 3, height = facts.image[0], width = facts.image[1]] =
    below(facts, layer)?.shape ?? [];
  return [channels, height, width];
};

/** A convolution with its numbers. */
export function convolution(facts: Facts, layer: LayerFact): Sliding {
  const { text } = layer;
  const input = sizeBelow(facts, layer);
  const kernel = number(text, 'k', [3, 3]);
  const [groups] = number(text, 'g', [1, 1]);
  const channels = input[0] / groups;
  const weights = (layer.shape[0] ?? 0) * channels * kernel[0] * kernel[1];
  return {
    layer,
    kernel,
    stride: number(text, 's', [1, 1]),
    padding: number(text, 'p', [0, 0]),
    dilation: number(text, 'd', [1, 1]),
    input,
    channels,
    weights,
    biases: layer.parameters - weights
  };
}

/** A pooling with its numbers; null where it takes each whole map. */
export function pooling(facts: Facts, layer: LayerFact): Sliding | null {
  const kernel = number(layer.text, '', [0, 0]);
  if (!isPool(layer.kind) || kernel[0] === 0 || / to | global/.test(layer.text)) return null;
  return {
    layer,
    kernel,
    stride: number(layer.text, 's', kernel),
    padding: number(layer.text, 'p', [0, 0]),
    dilation: number(layer.text, 'd', [1, 1]),
    input: sizeBelow(facts, layer),
    channels: 1,
    weights: 0,
    biases: 0
  };
}

export const firstConvolution = (facts: Facts): Sliding | null => {
  const layer = first(facts, isConvolution);
  return layer ? convolution(facts, layer) : null;
};

/** The first convolution that pads, on a map with cells between its edges. */
export const firstPadded = (facts: Facts): Sliding | null => {
  const found = facts.layers
    .filter((layer) => isConvolution(layer) && Math.min(...mapOf(layer)) > 2)
    .map((layer) => convolution(facts, layer));
  return found.find(({ padding }) => Math.max(...padding) > 0) ?? null;
};

/** Something is drawn as maps, and each number has gone through a function of its own. */
export const firstFunction = (facts: Facts): LayerFact | undefined =>
  first(facts, (layer) => isPointwise(layer.kind) && isMap(layer)) ??
  first(facts, (layer) => isPointwise(layer.kind));

export const firstPooling = (facts: Facts): LayerFact | undefined =>
  first(facts, (layer) => isMaxPool(layer.kind)) ?? first(facts, (layer) => isPool(layer.kind));

/** The last layer that a convolution reads: the gradient comes back to it through turned kernels. */
export function belowLast(facts: Facts): { layer: LayerFact; reader: Sliding } | null {
  for (const reader of facts.layers.filter(isConvolution).reverse()) {
    const layer = below(facts, reader);
    if (layer && isMap(layer)) return { layer, reader: convolution(facts, reader) };
  }
  return null;
}

/** A unit to point at: the wished one where it lives, else the first that does. */
export function unitOf(layer: LayerFact, wish = 3): number {
  const units = layer.shape[0] ?? 1;
  const isAlive = (unit: number) => unit < units && (layer.alive?.[unit] ?? true);
  if (isAlive(wish)) return wish;
  const found = Array.from({ length: units }, (_, unit) => unit).find(isAlive);
  return found ?? 0;
}

/** The class that the network says; 0 where that is not known. */
export const likeliest = ({ probabilities }: Facts): number =>
  probabilities ? Math.max(0, probabilities.indexOf(Math.max(...probabilities))) : 0;

/** Steps of one epoch: the last batch holds what is left; one photo alone joins the batch before. */
export function stepsOf({ train, batch }: Facts): number {
  if (batch <= 0) return 0;
  const full = Math.floor(train / batch);
  const left = train % batch;
  return left === 0 || (left === 1 && full > 0) ? full : full + 1;
}
