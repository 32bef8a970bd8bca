/**
 * What each card says of the reader's own network: the other half of the tour's words. What stands in
 * braces comes from that network.
 */
import { count, fixed, percent } from '../format/number';
import type { Facts, Pair, Sliding } from './facts';
import { one, plural, size } from './words';

const functions: Record<string, string> = {
  relu: 'ReLU',
  relu6: 'ReLU6, which also cuts at 6',
  leaky_relu: 'leaky ReLU, which lets a small share of what is below 0 through',
  prelu: 'PReLU, which lets a learned share of what is below 0 through',
  gelu: 'GELU, a ReLU with a soft bend',
  gelu_tanh: 'GELU, a ReLU with a soft bend',
  silu: 'SiLU, a ReLU with a soft bend',
  tanh: 'tanh, which presses every number between −1 and 1',
  sigmoid: 'the sigmoid, which presses every number between 0 and 1'
};

/** `conv1 has 16 kernels of 3 × 3 × 3 numbers: 432 weights and 16 biases.` */
function kernels({ layer, kernel, channels, weights, biases }: Sliding): string {
  const units = layer.shape[0] ?? 0;
  const bias = biases > 0 ? `${plural(biases, 'bias')}` : 'no biases';
  return (
    `Your ${layer.name} has ${plural(units, 'kernel')} of ${size(kernel)} × ${channels} numbers: ` +
    `${plural(weights, 'weight')} and ${bias}.`
  );
}

/** The size formula along one side, with the layer's numbers. */
function outcome({ layer, kernel, stride, padding, dilation, input }: Sliding): string {
  const span = dilation[0] * (kernel[0] - 1) + 1;
  return `⌊(${input[1]} + 2 · ${padding[0]} − ${span}) / ${stride[0]}⌋ + 1 = ${layer.shape[1]}`;
}

/** What each card says of the reader's network. */
export const yours = {
  pixels: ({ image }: Facts) =>
    `Your network gets every photo as ${size(image)} pixels with 3 numbers each: ` +
    `${size(image)} × 3 = ${count(image[0] * image[1] * 3)} numbers.`,
  channels: ({ image }: Facts, conv: Sliding | null) =>
    `Your photos have 3 channels of ${size(image)} pixels.` +
    (conv
      ? ` ${conv.layer.name} makes ${plural(conv.layer.shape[0] ?? 0, 'channel')} of them.`
      : ''),
  normalising: ({ train }: Facts, range: Pair | null, norms: number) =>
    `Means and deviations were measured on your ${count(train)} training photos.` +
    (range ? ` This photo’s numbers now lie from ${fixed(range[0])} to ${fixed(range[1])}.` : '') +
    (norms > 0
      ? ` Inside, ${plural(norms, 'layer')} of batch normalisation ${norms === 1 ? 'does' : 'do'} much the same again, with a scale and a shift that are learned.`
      : ''),
  kernel: (conv: Sliding, shift: string | null) =>
    kernels(conv) + (conv.biases <= 0 && shift ? ` The shift of ${shift} takes their place.` : ''),
  stride: (conv: Sliding) =>
    `Your ${conv.layer.name} has stride ${one(conv.stride)}: of ${conv.input[1]} rows it makes ${outcome(conv)}.`,
  padding: (conv: Sliding) =>
    `Your ${conv.layer.name} has padding ${one(conv.padding)} on each side: of ${conv.input[1]} rows it makes ${outcome(conv)}.`,
  unpadded: (conv: Sliding) =>
    `No convolution of yours has padding${conv.layer.shape[1]! > 2 ? '' : ' on a map with an inside'}: of ${conv.input[1]} rows ${conv.layer.name} makes ${conv.layer.shape[1]}. The sandbox shows what it would do.`,
  'activation-map': ({ layer }: Sliding) => {
    const [units = 0, height = 1, width = 1] = layer.shape;
    return `Your ${layer.name} has ${plural(units, 'unit')}: ${plural(units, 'map')} of ${size([height, width])}, ${plural(units * height * width, 'number')} for each photo.`;
  },
  relu: (name: string, kind: string, numbers: number) =>
    `Your ${name} is ${functions[kind] ?? kind.replaceAll('_', ' ')}. It takes each of ${count(numbers)} numbers on its own; in it nothing is learned.`,
  pooling: (name: string, way: string, pool: Sliding | null, shape: readonly number[]) =>
    pool
      ? `Your ${name} takes ${way} of each window of ${size(pool.kernel)}, stride ${one(pool.stride)}: of ${size([pool.input[1], pool.input[2]])} cells it makes ${size([shape[1] ?? 1, shape[2] ?? 1])}. Nothing in it is learned.`
      : `Your ${name} takes ${way} of each whole map, or of equal parts of it: ${plural((shape[1] ?? 1) * (shape[2] ?? 1), 'number')} of each unit ${(shape[1] ?? 1) * (shape[2] ?? 1) === 1 ? 'is' : 'are'} left. Nothing in it is learned.`,
  'receptive-field': (near: string, sees: number, far: string, all: number, image: Pair) =>
    `Of your photos a cell of ${near} sees ${size([sees, sees])} px` +
    (near === far
      ? '.'
      : `, a cell of ${far} ${size([all, all])} px${all > Math.min(...image) ? ', more than there is' : ''}.`),
  flatten: (name: string, shape: readonly number[], from: string) =>
    `Your ${name} writes what ${from} makes, ${shape.join(' × ')}, as one row of ${count(shape.reduce((a, b) => a * b, 1))}.`,
  dense: (name: string, inputs: number, units: number, biases: number) =>
    `Your ${name} reads ${plural(inputs, 'number')} and has ${plural(units, 'unit')}: ` +
    `${count(inputs)} × ${count(units)} = ${plural(inputs * units, 'weight')} and ${biases > 0 ? plural(biases, 'bias') : 'no biases'}.`,
  softmax: ({ classes, probabilities }: Facts, best: number) =>
    `Your network tells ${count(classes.length)} classes apart` +
    (probabilities
      ? `; for this photo it says ${classes[best]}, ${percent(probabilities[best])}.`
      : '.'),
  loss: ({ classes, loss, label }: Facts) =>
    (loss !== null ? `For this photo of ${label} your network’s loss is ${fixed(loss, 4)}. ` : '') +
    `Giving all ${count(classes.length)} classes the same would cost log ${classes.length} = ${fixed(Math.log(classes.length), 2)}.`,
  gradient: ({ parameters, classes }: Facts) =>
    `Your network has ${count(parameters)} learned numbers; each gets a gradient. At the ${count(classes.length)} logits they add up to 0.`,
  backpropagation: (below: string, reader: Sliding) => {
    const units = (reader.layer.shape[0] ?? 0) / (reader.input[0] / reader.channels);
    const products = units * reader.kernel[0] * reader.kernel[1];
    return `Back through your ${reader.layer.name}, a cell of ${below} gets a sum of at most ${count(units)} × ${size(reader.kernel)} = ${plural(products, 'product')}.`;
  },
  backDense: (below: string, reader: string, units: number) =>
    `Back through your ${reader}, each number of ${below} gets a sum of ${plural(units, 'product')}.`,
  step: ({ parameters, batch, peakRate, optimizer }: Facts) =>
    `Your run moved ${count(parameters)} numbers at each step, after batches of ${count(batch)} photos, at a rate of at most ${peakRate}, with ${optimizers[optimizer] ?? optimizer}.`,
  epoch: ({ train, batch, epochs }: Facts, steps: number) =>
    `Your ${count(train)} training photos in batches of ${count(batch)} make ${plural(steps, 'step')} an epoch; ${plural(epochs, 'epoch')} are ${count(steps * epochs)} steps.`,
  generalisation: ({ report, test }: Facts) =>
    report
      ? `Of ${count(report.images)} test photos your network gets ${percent(report.accuracy)} right; 95 % sure that it is between ${percent(report.interval[0])} and ${percent(report.interval[1])}. Always naming the most frequent class would reach ${percent(report.chance)}.`
      : `${plural(test, 'photo')} of yours were kept aside.`,
  overfitting: ({ report }: Facts) =>
    report && report.train_accuracy !== null
      ? `Your network: ${percent(report.train_accuracy)} right on training photos, counted while it learned, ${percent(report.accuracy)} on test photos.`
      : 'Your run has no report yet; its curves show both.'
} as const;

const optimizers: Record<string, string> = { sgd: 'SGD', adamw: 'AdamW', muon: 'Muon' };
