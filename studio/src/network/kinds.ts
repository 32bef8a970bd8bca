/** The words for layers, sorted by how they are looked at. */

const pointwise = new Set([
  'relu',
  'leaky_relu',
  'prelu',
  'relu6',
  'clamp',
  'gelu',
  'gelu_tanh',
  'silu',
  'sigmoid',
  'tanh',
  'hardsigmoid',
  'hardswish',
  'elu',
  'celu',
  'selu',
  'softplus',
  'mish',
  'softsign',
  'logsigmoid'
]);
const affine = new Set(['norm', 'scale', 'dropout', 'identity']);

/** A function of each number alone: relu, gelu, … */
export const isPointwise = (kind: string): boolean => pointwise.has(kind);
/** A number times a scale plus a shift. */
export const isAffine = (kind: string): boolean => affine.has(kind);
/** max_pool, adaptive_max_pool, global_avg_pool, … */
export const isPool = (kind: string): boolean => kind.endsWith('_pool');
export const isMaxPool = (kind: string): boolean => kind.endsWith('max_pool');
/** Unit by unit: each map is made of the same map of the layer before. */
export const isUnitwise = (kind: string): boolean =>
  isPointwise(kind) || isAffine(kind) || isPool(kind) || kind === 'normalise';

export type BenchKind = 'conv' | 'dense' | 'pool' | 'point' | 'move' | 'softmax' | 'terms' | 'box';

/** Which bench takes a layer apart. */
export function benchOf(kind: string, known = true): BenchKind {
  if (!known || kind === 'unknown') return 'box';
  if (kind === 'conv' || kind === 'dense' || kind === 'softmax') return kind;
  if (isPool(kind)) return 'pool';
  if (isPointwise(kind) || isAffine(kind) || kind === 'normalise') return 'point';
  if (kind === 'flatten' || kind === 'rearrange' || kind === 'pad') return 'move';
  return 'terms';
}

/**
 * The last layer, which says what the photo shows: softmax, or the sigmoid of several labels
 * (`model.several`, where it has this name; a function inside a network is called otherwise).
 */
export const isAnswer = ({ kind, name }: { kind: string; name: string }): boolean =>
  kind === 'softmax' || (kind === 'sigmoid' && name === 'sigmoid');

const words: Record<string, string> = {
  relu: 'ReLU',
  relu6: 'ReLU6',
  leaky_relu: 'leaky ReLU',
  gelu: 'GELU',
  gelu_tanh: 'GELU',
  silu: 'SiLU',
  elu: 'ELU',
  celu: 'CELU',
  selu: 'SELU',
  norm: 'normalise',
  conv: 'convolution',
  max_pool: 'maximum',
  avg_pool: 'mean'
};

/** The word on screen. */
export const wordFor = (kind: string): string => words[kind] ?? kind.replaceAll('_', ' ');
