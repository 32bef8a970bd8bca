/** What is changed, as the address says it, and as the server is asked. Pure. */
import type { AlterationQuestion, WhatIfQuestion } from '../../api/types';

export type Rectangle = [top: number, left: number, bottom: number, right: number];
export type Stroke = [row: number, column: number, red: number, green: number, blue: number];
export type Colour = [red: number, green: number, blue: number];

export interface Change {
  cover: Rectangle | null;
  shift: [rows: number, columns: number];
  turn: number;
  blur: number;
  noise: number;
  brightness: number;
  contrast: number;
  plain: Colour | null;
  temperature: number;
  /** layer.unit */
  off: readonly string[];
  /** layer to function */
  functions: Readonly<Record<string, string>>;
}

/** A weight as it shall be; `name` as in the state dict. */
export interface Edit {
  name: string;
  index: number[];
  value: number;
}

export const nothing: Change = {
  cover: null,
  shift: [0, 0],
  turn: 0,
  blur: 0,
  noise: 0,
  brightness: 0,
  contrast: 1,
  plain: null,
  temperature: 1,
  off: [],
  functions: {}
};

export const functionNames = ['relu', 'leaky_relu', 'gelu', 'silu', 'tanh', 'sigmoid'] as const;

/** Sliders, with the words on the screen; the server allows more. */
export const sliders = {
  brightness: { title: 'Brightness', least: -128, most: 128, step: 4, unit: 'levels' },
  contrast: { title: 'Contrast', least: 0, most: 3, step: 0.1, unit: '×' },
  noise: { title: 'Noise', least: 0, most: 80, step: 2, unit: 'levels' },
  blur: { title: 'Blur', least: 0, most: 5, step: 0.25, unit: 'px' },
  turn: { title: 'Turn', least: -180, most: 180, step: 5, unit: '°' }
} as const;

export type SliderName = keyof typeof sliders;
const sliderNames = Object.keys(sliders) as SliderName[];

/** #d02020 → 208, 32, 32, and back. */
export const parts = (text: string): Colour =>
  [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)) as Colour;
export const hex = (colour: Colour): string =>
  '#' + colour.map((part) => part.toString(16).padStart(2, '0')).join('');

type Query = Readonly<Record<string, string>>;

const numbers = (text: string | undefined, count: number): number[] | null => {
  const found = (text ?? '').split(',').map(Number);
  return text && found.length === count && found.every(Number.isInteger) ? found : null;
};

const within = (text: string | undefined, least: number, most: number, without: number): number => {
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) ? Math.max(least, Math.min(most, value)) : without;
};

const isColour = (parts: number[]) => parts.every((part) => part >= 0 && part <= 255);
const isRectangle = ([top, left, bottom, right]: number[]) =>
  top! >= 0 && left! >= 0 && bottom! > top! && right! > left!;

/** What cannot be read is as if it were not there. */
export function read(query: Query): Change {
  const cover = numbers(query['cover'], 4);
  const plain = numbers(query['plain'], 3);
  const functions = (query['functions'] ?? '')
    .split(',')
    .map((one) => one.split(':'))
    .filter(([layer, name]) => layer && functionNames.some((known) => known === name));
  const change: Change = {
    ...nothing,
    cover: cover && isRectangle(cover) ? (cover as Rectangle) : null,
    shift: (numbers(query['shift'], 2) as Change['shift'] | null) ?? nothing.shift,
    plain: plain && isColour(plain) ? (plain as Colour) : null,
    temperature: within(query['temperature'], 0.1, 10, 1),
    off: (query['off'] ?? '').split(',').filter((one) => /.\.\d{1,6}$/.test(one)),
    functions: Object.fromEntries(functions)
  };
  for (const name of sliderNames) {
    const { least, most } = sliders[name];
    change[name] = within(query[name], least, most, nothing[name]);
  }
  return change;
}

/** The query that `read` turns back into the change; what is as in the original is left out. */
export function written(change: Change): Record<string, string> {
  const query: Record<string, string> = {};
  if (change.cover) query['cover'] = change.cover.join(',');
  if (change.shift.some(Boolean)) query['shift'] = change.shift.join(',');
  if (change.plain) query['plain'] = change.plain.join(',');
  if (change.temperature !== 1) query['temperature'] = String(change.temperature);
  if (change.off.length) query['off'] = change.off.join(',');
  const functions = Object.entries(change.functions).map((one) => one.join(':'));
  if (functions.length) query['functions'] = functions.join(',');
  for (const name of sliderNames) {
    if (change[name] !== nothing[name]) query[name] = String(change[name]);
  }
  return query;
}

/** "relu2.3" → relu2, 3; a layer's name may have dots of its own. */
export function unitOf(text: string): { layer: string; unit: number } {
  const dot = text.lastIndexOf('.');
  return { layer: text.slice(0, dot), unit: Number(text.slice(dot + 1)) };
}

/** What of it a network can keep, in words; empty: nothing. */
export function keepable(change: Change, edits: readonly Edit[]): string {
  const counted = (count: number, one: string, more: string) =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : more}`];
  const parts = [
    ...counted(edits.length, 'weight', 'weights'),
    ...counted(change.off.length, 'unit off', 'units off'),
    ...counted(Object.keys(change.functions).length, 'function', 'functions')
  ];
  const last = parts.pop();
  return [parts.join(', '), last].filter(Boolean).join(' and ');
}

export function question(
  change: Change,
  paint: readonly Stroke[],
  edits: readonly Edit[],
  weights_sha256: string
): WhatIfQuestion {
  const photo: AlterationQuestion = {
    cover: change.cover,
    shift: change.shift,
    turn_degrees: change.turn,
    blur_px: change.blur,
    noise: change.noise,
    noise_seed: 0,
    brightness: change.brightness,
    contrast: change.contrast,
    plain: change.plain,
    paint: [...paint]
  };
  return {
    weights: [...edits],
    off: change.off.map(unitOf),
    functions: { ...change.functions } as WhatIfQuestion['functions'],
    photo,
    temperature: change.temperature,
    weights_sha256
  };
}
