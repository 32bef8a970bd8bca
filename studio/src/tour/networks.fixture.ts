/** Networks of several shapes as the server tells of them, for the tests of the cards. */
import type { TraceMessage } from '../api/types';
import { factsOf, type Facts, type Told } from './facts';

type Line = readonly [
  name: string,
  text: string,
  shape: number[],
  parameters: number,
  sees?: number
];

const kinds: Record<string, string> = {
  maxpool: 'max_pool',
  avgpool: 'avg_pool'
};

const layersOf = (lines: readonly Line[], reads: Record<string, string>): TraceMessage['layers'] =>
  lines.map(([name, text, shape, parameters, sees], i) => ({
    name,
    kind: kinds[text.split(' ')[0]!] ?? text.split(' ')[0]!,
    text,
    shape,
    parameters,
    receptive_field_px: sees ?? null,
    inputs: [reads[name] ?? lines[i - 1]?.[0] ?? 'photo'],
    active_units: Array.from({ length: shape[0]! }, (_, unit) => unit !== 3 || name !== 'relu9'),
    known: true,
    offset: 0,
    minimum: -1.5,
    maximum: 2.25
  }));

const classes = ['frog', 'ship', 'truck'];

const detailOf = (layers: TraceMessage['layers'], px: number): Told => ({
  dataset: {
    name: 'photos',
    source: 'photos',
    fingerprint: '',
    image_px: px,
    classes,
    counts: classes.map((label) => ({ label, train: 40, validation: 0, test: 12 })),
    notes: [],
    problems: [],
    labels: null,
    is_several: false,
    images: [120, 0, 36]
  },
  layers,
  parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
  recipe: { batch: 24, optimizer: 'sgd', peak_lr: 0.1, epochs: 3 },
  summary: {
    id: 'amber-heron',
    state: 'finished',
    epoch: 3,
    epochs: 3
  },
  watched: ['t1']
});

const traceOf = (layers: TraceMessage['layers'], side: number): TraceMessage => ({
  classes,
  elapsed_ms: 1,
  floats: 0,
  is_several: false,
  layers,
  logits: [0.1, 2, 1],
  loss: 0.4557,
  probabilities: [0.1, 0.634, 0.266],
  weights_sha256: 'a',
  photo: {
    id: 't1',
    path: 'ship/1.jpg',
    label: 'ship',
    split: 'test',
    width: side,
    height: side,
    note: null,
    predicted: null,
    probability: null
  }
});

const report = {
  accuracy: 0.5,
  interval: [0.34, 0.66],
  images: 36,
  chance: 1 / 3,
  train_accuracy: 0.8
} as never;

function facts(lines: readonly Line[], reads: Record<string, string> = {}, side = 32): Facts {
  const layers = layersOf(lines, reads);
  return factsOf(detailOf(layers, side), traceOf(layers, side), report);
}

/** Before the first checkpoint there is no trace, and no report. */
function young(lines: readonly Line[]): Facts {
  const layers = layersOf(lines, {});
  const detail = detailOf(layers, 32);
  const summary = { ...detail.summary, state: 'training' as const, epoch: 0 };
  return factsOf({ ...detail, summary }, null, null);
}

const demo: readonly Line[] = [
  ['normalise', 'normalise', [3, 32, 32], 0, 1],
  ['conv1', 'conv 16 k5 s2 p2 nobias', [16, 16, 16], 1200, 5],
  ['norm1', 'norm', [16, 16, 16], 32, 5],
  ['relu1', 'relu', [16, 16, 16], 0, 5],
  ['pool1', 'maxpool 2', [16, 8, 8], 0, 7],
  ['conv2', 'conv 16 k3 p1 nobias', [16, 8, 8], 2304, 15],
  ['norm2', 'norm', [16, 8, 8], 32, 15],
  ['relu2', 'relu', [16, 8, 8], 0, 15],
  ['flatten', 'flatten', [1024], 0],
  ['dense1', 'dense 3', [3], 3075],
  ['softmax', 'softmax', [3], 0]
];

export const networks: Record<string, Facts> = {
  demo: facts(demo),
  young: young(demo),
  // LeCun and others (1998), in colour: no padding, means, tanh, biases
  lenet: facts([
    ['normalise', 'normalise', [3, 32, 32], 0, 1],
    ['conv1', 'conv 6 k5', [6, 28, 28], 456, 5],
    ['tanh1', 'tanh', [6, 28, 28], 0, 5],
    ['pool1', 'avgpool 2', [6, 14, 14], 0, 6],
    ['conv2', 'conv 16 k5', [16, 10, 10], 2416, 14],
    ['tanh2', 'tanh', [16, 10, 10], 0, 14],
    ['flatten', 'flatten', [1600], 0],
    ['dense1', 'dense 84', [84], 134484],
    ['tanh3', 'tanh', [84], 0],
    ['dense2', 'dense 3', [3], 255],
    ['softmax', 'softmax', [3], 0]
  ]),
  // a block with a way around, depthwise kernels, more units than are drawn, a kernel that is no square
  residual: facts(
    [
      ['normalise', 'normalise', [3, 64, 64], 0, 1],
      ['stem.0', 'conv 256 k1x3 p0x1', [256, 64, 64], 2560, 3],
      ['relu9', 'gelu', [256, 64, 64], 0, 3],
      ['block/dw', 'conv 256 k3 s2 p1 d1 g256 nobias', [256, 32, 32], 2304, 7],
      ['add', 'add', [256, 32, 32], 0, 7],
      ['pool', 'avgpool global', [256, 1, 1], 0],
      ['flatten', 'flatten', [256], 0],
      ['head', 'dense 3', [3], 771],
      ['softmax', 'softmax', [3], 0]
    ],
    { 'block/dw': 'relu9' },
    64
  ),
  // no convolution at all
  dense: facts(
    [
      ['normalise', 'normalise', [3, 8, 8], 0, 1],
      ['flatten', 'flatten', [192], 0],
      ['dense1', 'dense 10', [10], 1930],
      ['relu1', 'relu', [10], 0],
      ['dense2', 'dense 3', [3], 33],
      ['softmax', 'softmax', [3], 0]
    ],
    {},
    8
  ),
  // one kernel, one stretch, nothing else; the convolution reads the photo itself
  bare: facts(
    [
      ['conv1', 'conv 1 k8', [1, 1, 1], 193, 8],
      ['flatten', 'flatten', [1], 0],
      ['dense1', 'dense 3 nobias', [3], 3],
      ['softmax', 'softmax', [3], 0]
    ],
    {},
    8
  )
};
