/** Where on the page the cards point: selectors, the one that is wanted first. */

const quoted = (name: string): string => JSON.stringify(name);
const layer = (name: string): string => `[data-layer=${quoted(name)}]`;
/** The block of a deep network into which a layer is folded, from the innermost outwards. */
const folded = (name: string): string[] =>
  name
    .split('.')
    .map((_, i, words) => words.slice(0, i).join('.'))
    .filter(Boolean)
    .reverse()
    .map((block) => `.blocks button[aria-expanded="false"][title^=${quoted(block + ':')}]`);

const settings = '[aria-label="Settings"]';
const setting = (label: string): string => `.setting:has([aria-label="${label}, typed"])`;
const score = '[aria-label="Accuracy and loss"]';

export const at = {
  layer: (name: string): string[] => [layer(name), ...folded(name)],
  /** the whole layer where this unit of it is not drawn */
  unit: (name: string, unit: number): string[] => [
    `${layer(name)} [data-unit="${unit}"]`,
    layer(name),
    ...folded(name)
  ],

  modes: ['[data-part="modes"] fieldset'],
  loss: ['[data-part="loss"]'],
  rate: ['[data-part="step"] .rate'],
  after: ['[data-part="step"] .loss'],

  bench: ['[data-bench]', '.bench'],
  unitPanel: ['section[aria-label="The unit"]'],
  map: ['section[aria-label="The unit"] [role="application"]'],
  sees: ['section[aria-label="The unit"] .photo', 'section[aria-label="The unit"]'],
  factors: ['section[aria-label="Every factor"]'],
  pictures: ['section[aria-label="The unit"] .pictures'],
  function: ['section[aria-label="The function"]'],
  window: ['section[aria-label="The window"]'],
  source: ['section[aria-label="Where it comes from"]'],
  terms: ['section[aria-label="Every contribution"]', '[data-bench]'],
  softmax: ['section[aria-label="Softmax"]'],
  back: [
    '[data-bench="back"] section[aria-label="Every factor"]',
    '[data-bench="back"] section[aria-label="Every gradient that comes back"]',
    '[data-bench="back"]'
  ],
  backSum: ['[data-bench="back"] section[aria-label="The sum"]', '[data-bench="back"]'],

  crop: [`${settings} [role="application"]`],
  colour: [`${settings} .choices fieldset`],
  stride: [setting('Stride')],
  padding: [setting('Padding')],
  kernel: ['select[aria-label="Kernel values"]'],
  input: ['section[aria-labelledby="input"]'],
  output: ['section[aria-labelledby="output"]'],
  size: ['[aria-label="The size of the output"]'],

  curve: [`${score} [role="slider"]`],
  score: [`${score} .numbers`],
  measure: [`${score} .choice fieldset`],
  matrix: ['section[aria-labelledby="confusions"]'],
  cellPhotos: ['.two .photos'],
  splits: ['section[aria-labelledby="photos"] fieldset'],
  photos: ['section[aria-labelledby="photos"] .tiles']
} as const;
