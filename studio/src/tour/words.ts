/**
 * Everything that the tour says of any network; what it says of the reader's own stands in `yours.ts`.
 * A translation is these two files.
 *
 * Our own words, held against: I. Goodfellow, Y. Bengio and A. Courville, Deep Learning (2016), ch. 5,
 * 6, 8 and 9; S. J. D. Prince, Understanding Deep Learning (2023), ch. 3 to 10; the notes of Stanford's
 * course CS231n; Y. LeCun and others, Efficient BackProp (1998), §4.3 (bringing inputs to one scale);
 * S. Ioffe and C. Szegedy, Batch Normalization (2015).
 */
import { count } from '../format/number';
import type { Pair } from './facts';

export interface CardWords {
  title: string;
  text: string;
}

export const size = ([rows, columns]: Pair): string => `${rows} × ${columns}`;
export const one = ([rows, columns]: Pair): string =>
  rows === columns ? `${rows}` : `${rows} and ${columns}`;
export const plural = (n: number, word: string): string =>
  `${count(n)} ${word}${n === 1 ? '' : word.endsWith('s') ? 'es' : 's'}`;

/** What each card says of any network. */
export const cards = {
  pixels: {
    title: 'Pixels',
    text: 'To a network a photo is a grid of numbers. Each pixel says how much light there is at its place, from 0 for none to 255, the most that one byte can hold.'
  },
  channels: {
    title: 'Channels',
    text: 'A colour photo is three grids of one size, laid on each other: red, green and blue. Each is a channel. Later layers have channels too: one for each of their units.'
  },
  normalising: {
    title: 'Normalising',
    text: 'Before anything is computed the numbers are brought to one scale: pixel / 255, minus the mean of its colour over the training photos, divided by their standard deviation. Inputs around 0, of one size, are easier to learn from. Nothing is lost: it can be undone.'
  },
  kernel: {
    title: 'Kernel',
    text: 'A kernel is a small block of learned weights. It is laid on the input, each number is multiplied by the weight over it, and all products are added up. The same kernel is used at every place, so it finds the same thing anywhere.'
  },
  stride: {
    title: 'Stride',
    text: 'Stride says how far the window moves on its input from one cell of the map to the next. At stride 1 it stops everywhere; at stride 2 at every second place, and the map is about half as high and half as wide.'
  },
  padding: {
    title: 'Padding',
    text: 'At the border a window would reach over the edge. Padding lays rows and columns, usually of zeros, around the input, so that the window fits there too and the map need not shrink.'
  },
  'activation-map': {
    title: 'Activation map',
    text: 'All the results of one kernel, each at its place, form a map. It says where in the photo the unit found what it looks for, and how strongly. One unit makes one map.'
  },
  relu: {
    title: 'ReLU',
    text: 'Sums of products behind each other would together be no more than one such sum. So a function with a bend comes between them. ReLU is max(0, x): what is above 0 passes, the rest becomes 0.'
  },
  pooling: {
    title: 'Pooling',
    text: 'Pooling makes maps smaller: of each window only one number goes on, the largest or the mean. When what is seen moves a little, what goes on often stays the same.'
  },
  'receptive-field': {
    title: 'Depth and receptive field',
    text: 'Each layer reads the one before. So the deeper a cell lies, the more of the photo it depends on: its receptive field. It grows with every kernel, and faster after each stride or pooling.'
  },
  flatten: {
    title: 'Flatten',
    text: 'Maps have rows and columns; the last layers read one long row of numbers. Flattening writes the maps behind each other into such a row. Nothing is computed, every number only gets another place.'
  },
  dense: {
    title: 'Dense layer',
    text: 'In a dense layer every unit reads every number, with a weight for each, and adds a bias. The last layer gives each class a score, its logit: any number, the higher the more speaks for it.'
  },
  softmax: {
    title: 'Softmax',
    text: 'Softmax makes probabilities of logits: e to the power of each, divided by the sum of all of those. They lie between 0 and 1 and add up to 1. What matters is only how far the logits are apart.'
  },
  loss: {
    title: 'Loss',
    text: 'The loss says in one number how wrong the answer is: −log of the probability of the true class. Sure and right costs almost 0; a true class that was given 1 % costs 4.61.'
  },
  gradient: {
    title: 'Gradient',
    text: 'The gradient at a number is a slope: how fast the loss grows when this number grows a little. Above 0, more of it makes the loss larger; below 0, smaller. At the logits it is p − y: the probability, minus 1 at the true class.'
  },
  backpropagation: {
    title: 'Backpropagation',
    text: 'Gradients are computed from the end to the beginning. To a number comes back, from everything that read it, the gradient there times the weight it was read with, all added up: the chain rule. One way back gives all gradients.'
  },
  step: {
    title: 'A step of learning',
    text: 'In one step every weight moves a little against its gradient: by the learning rate times the gradient, in the simplest case. Too small a rate learns slowly; too large a one jumps too far, and the loss rises.'
  },
  epoch: {
    title: 'Epoch',
    text: 'Training takes a batch of photos, makes one step, and takes the next. Once through all training photos is an epoch; the next one goes through them in another order.'
  },
  generalisation: {
    title: 'Generalisation',
    text: 'What counts is how a network does on photos it never learned from. So some are kept aside: the test photos. Their score is an estimate, and the fewer they are the less sure it is.'
  },
  overfitting: {
    title: 'Overfitting',
    text: 'A network can learn its training photos by heart instead of what they have in common. Then the loss on training photos goes on falling while the one on test photos stays or rises. More photos, photos that are changed a little, or a smaller network work against it.'
  }
} as const satisfies Record<string, CardWords>;

/** What is to be done, and what is to be seen once it is. */
export const tasks = {
  pixels: {
    ask: 'Move the square on the photo: drag it, or use the arrow keys on it.',
    see: 'Below stands the number of every pixel under the square.'
  },
  channels: {
    ask: 'Choose red, green or blue instead of grey.',
    see: 'The numbers of one channel: the same place, another grid.'
  },
  normalising: {
    ask: (name: string) => `Click a unit of ${name}: it is one colour of the photo.`,
    see: 'One line takes every pixel, 0 to 255, to its new place; each dot is a pixel.'
  },
  kernel: {
    ask: (name: string, unit: number) => `Click unit ${unit} of ${name}.`,
    see: 'Window × kernel = products; all of them, over all channels, make one cell.'
  },
  stride: {
    ask: 'Move the window by one cell: on the map, with the pointer or an arrow key.',
    see: (stride: Pair) => `One cell on the map is ${one(stride)} on the input.`
  },
  padding: {
    ask: 'Move the window to an edge of the map.',
    see: 'What is hatched in the window lies outside: it adds nothing to the sum.'
  },
  'activation-map': {
    ask: (name: string) => `Click another unit of ${name}, and compare the maps.`,
    see: 'Orange is above 0, blue below: another kernel, another map of the same photo.'
  },
  relu: {
    ask: (name: string, unit: number) => `Click unit ${unit} of ${name}.`,
    see: 'Each dot is a cell: what came in, to the right; what went out, upwards.'
  },
  pooling: {
    ask: (name: string, unit: number) => `Click unit ${unit} of ${name}.`,
    see: (isMax: boolean) =>
      isMax
        ? 'The framed number is the largest of its window; only it goes on.'
        : 'All numbers of the window go on as one: their mean.'
  },
  'receptive-field': {
    ask: (name: string, unit: number) => `Click unit ${unit} of ${name}.`,
    see: 'The frame on the photo is what this cell sees; nothing outside can change it.'
  },
  flatten: {
    ask: (name: string) => `Click anywhere on the thin column ${name}.`,
    see: 'Where this number stood, in which map, and where it stands now.'
  },
  dense: {
    ask: (name: string, unit: string) => `Click ${unit} in ${name}.`,
    see: 'Orange speaks for it, blue against; the largest products come first.'
  },
  softmax: {
    ask: (name: string) => `Click the bar of ${name} at the right end.`,
    see: 'Logit, power of e, share of the sum: the last column adds up to 1.'
  },
  loss: {
    ask: 'Turn to Backwards.',
    see: 'Here stand the true class and its loss. Choose another class as the true one: the loss follows.'
  },
  gradient: {
    ask: (name: string) => `Click ${name} at the right end.`,
    see: 'p − y: at the true class below 0, so its logit should grow; at all others above 0.'
  },
  backpropagation: {
    ask: (name: string, unit: number) => `Click unit ${unit} of ${name}.`,
    see: 'Gradients that come back × the weights they were read with = products, added up.'
  },
  step: {
    ask: 'Pull the learning rate.',
    see: 'The loss of this photo before the step and after it.'
  },
  epoch: {
    ask: 'Choose an earlier epoch on the curves: click there, or use the arrow keys on them.',
    see: 'The numbers, the photos and the kernels are now those after this epoch.'
  },
  generalisation: {
    ask: 'Click a cell of the matrix.',
    see: 'These are its photos; none of them was learned from.'
  },
  aside: {
    ask: 'Choose the test photos.',
    see: 'None of these was learned from.'
  },
  overfitting: {
    ask: 'Turn the curves from accuracy to loss.',
    see: 'Two lines: the further they part, the more was learned by heart.'
  },
  sandboxKernel: {
    ask: 'Choose another kernel in the sandbox.',
    see: 'Another kernel makes another map of the same pixels.'
  },
  sandboxStride: {
    ask: 'Set the stride to another number.',
    see: 'The size of the output follows the formula.'
  },
  sandboxPadding: {
    ask: 'Set the padding to another number.',
    see: 'The size of the output follows the formula; hatched is what was laid around.'
  },
  sandboxMap: {
    ask: 'Move over the output.',
    see: 'Each cell of the map is one place of the window.'
  }
} as const;

/** What is said where the reader's network has no such thing. */
export const without = {
  sandbox: 'Your network has no convolution. The sandbox has one.',
  normalising: 'Your network has no such layer: it takes the pixels as they are.',
  relu: 'Your network has no function of this kind. In Try, activation functions can be swapped in networks that have one.',
  pooling:
    'Your network has no pooling. Maps can shrink without it: by a stride above 1, or without padding.',
  'receptive-field':
    'Your network has no convolution, so no cell sees only a part: each unit of a dense layer sees the whole photo.',
  'activation-map': 'There is no other unit to compare it with.',
  flatten: 'Your network has no such layer: what reaches its end is a row already.',
  dense: 'Your network has no dense layer.',
  softmax: 'Your network does not end in logits, so there is nothing to make probabilities of.',
  backpropagation: 'Nothing in your network is read by a layer with weights.',
  epoch: 'Your run has not finished an epoch yet. Come back when it has.',
  generalisation: 'Your data set has no test photos, so nobody can say.',
  photo: 'There is no photo to look at yet.'
} as const;

/** Buttons, labels, and what is read aloud. */
export const ui = {
  tour: 'Tour',
  open: 'Guided tour of this network',
  name: 'Guided tour',
  progress: (at: number, all: number) => `${at} of ${all}`,
  single: 'one card',
  contents: 'All cards',
  back: 'Back',
  next: 'Next',
  finish: 'Close',
  close: 'Close the tour',
  show: 'Show me',
  skip: 'Nothing to do here.',
  done: 'Done.',
  isDone: 'done',
  reading: 'Reading your network…',
  noRun: 'No network has been trained yet; the numbers of yours will stand here.',
  about: (word: string) => `${word}: what is that?`,
  keys: 'F2 goes from the card to what it points at, and back.',
  invite: 'New to this?',
  inviteLink: 'Take the tour of your own network: 20 short cards.',
  trained: 'It has learned something. What is inside?',
  share: 'Share',
  sharing: {
    title: 'Share this view',
    about:
      'An address that opens the studio like this. It works in every studio that has such a run; without one it takes the reader’s newest.',
    card: 'Card',
    noCard: 'no card',
    steps: 'Only these cards, in this order',
    stepsHint: 'ids, with commas between them; empty: all 20',
    hide: 'Hidden',
    own: 'This run and this place',
    any: 'The reader’s newest run',
    address: 'Address',
    copy: 'Copy',
    copied: 'Copied',
    close: 'Close',
    unknown: (ids: readonly string[]) => `No card is called ${ids.join(', ')}.`
  },
  parts: {
    header: 'header',
    run: 'choice of the run',
    theme: 'light or dark',
    strip: 'row of photos',
    scale: 'colour scale',
    modes: 'direction',
    trainings: 'slider through two trainings',
    photos: 'Photos',
    train: 'Train',
    time: 'Time',
    look: 'Look',
    try: 'Try',
    compare: 'Compare',
    sandbox: 'Sandbox',
    report: 'Report',
    runs: 'Runs'
  }
} as const;

/** The words of the studio that open a card; the longest first where one holds another. */
export const terms: readonly (readonly [pattern: string, card: keyof typeof cards])[] = [
  ['receptive fields?', 'receptive-field'],
  ['activation maps?', 'activation-map'],
  ['batch normalisation', 'normalising'],
  ['learning rates?', 'step'],
  ['test photos', 'generalisation'],
  ['never seen', 'generalisation'],
  ['back through', 'backpropagation'],
  ['softmax', 'softmax'],
  ['kernels?', 'kernel'],
  ['strides?', 'stride'],
  ['padding', 'padding'],
  ['pixels?', 'pixels'],
  ['channels?', 'channels'],
  ['logits?', 'dense'],
  ['gradients?', 'gradient'],
  ['loss', 'loss'],
  ['epochs?', 'epoch'],
  ['ReLU', 'relu'],
  ['over-?fitting', 'overfitting'],
  ['learned (?:them )?by heart', 'overfitting'],
  ['generalises', 'generalisation'],
  ['normalisation', 'normalising']
];
