/** Everything that the sandbox shows as what stands behind the question mark, and back. */
import type { Cell } from '../../state/place';
import { fills, type Fill, type Spec } from './convolution';
import { channels, type Channel, type Corner } from './crop';
import { presets, rounded, type Preset } from './kernels';
import { ranges, type Setting } from './limits';

/** A slice of a learned kernel: one unit's weights for one colour. */
export interface Slice {
  unit: number;
  channel: number;
}

export type Values =
  | { kind: 'preset'; name: Preset }
  | { kind: 'learned'; slice: Slice }
  | { kind: 'own'; weights: number[] };

export interface Asked {
  spec: Spec;
  values: Values;
  channel: Channel;
  /** null: the middle of the photo */
  corner: Corner | null;
  cell: Cell;
}

type Query = Readonly<Record<string, string>>;

const standard: Record<Setting, number> = {
  size: 12,
  kernel: 3,
  padding: 1,
  stride: 1,
  dilation: 1
};
const first: Preset = 'edge vertical';

function whole(text: string | undefined, setting: Setting): number {
  const [least, most] = ranges[setting];
  if (!/^\d{1,4}$/.test(text ?? '')) return standard[setting];
  return Math.max(least, Math.min(most, Number(text)));
}

const oneOf = <One extends string>(text: string | undefined, all: readonly One[]): One =>
  all.find((one) => one === text) ?? all[0]!;

function pair(text: string | undefined): Cell | null {
  const match = /^(\d{1,4}),(\d{1,4})$/.exec(text ?? '');
  return match && { row: Number(match[1]), column: Number(match[2]) };
}

function valuesOf(text: string | undefined, kernel: number): Values {
  const name = presets.find((one) => one === text?.replaceAll('-', ' '));
  if (name) return { kind: 'preset', name };
  const learned = /^unit-(\d{1,4})-(\d{1,4})$/.exec(text ?? '');
  if (learned)
    return { kind: 'learned', slice: { unit: Number(learned[1]), channel: Number(learned[2]) } };
  const weights = (text ?? '').split(',').map((one) => (one.trim() === '' ? NaN : Number(one)));
  if (weights.length === kernel ** 2 && weights.every(Number.isFinite))
    return { kind: 'own', weights: weights.map(rounded) };
  return { kind: 'preset', name: first };
}

const written = (values: Values): string => {
  if (values.kind === 'preset') return values.name.replaceAll(' ', '-');
  if (values.kind === 'learned') return `unit-${values.slice.unit}-${values.slice.channel}`;
  return values.weights.join(',');
};

/** What cannot be read is as it is at first. */
export function parse(query: Query): Asked {
  const kernel = whole(query['kernel'], 'kernel');
  const spec: Spec = {
    size: whole(query['size'], 'size'),
    kernel,
    padding: whole(query['padding'], 'padding'),
    fill: oneOf<Fill>(query['fill'], fills),
    stride: whole(query['stride'], 'stride'),
    dilation: whole(query['dilation'], 'dilation')
  };
  return {
    spec,
    values: valuesOf(query['values'], kernel),
    channel: oneOf<Channel>(query['channel'], channels),
    corner: pair(query['at']),
    cell: pair(query['cell']) ?? { row: 0, column: 0 }
  };
}

/** Only what is not as at first. */
export function format({ spec, values, channel, corner, cell }: Asked): Record<string, string> {
  const query: Record<string, string> = {};
  for (const setting of Object.keys(standard) as Setting[])
    if (spec[setting] !== standard[setting]) query[setting] = String(spec[setting]);
  if (spec.fill !== fills[0]) query['fill'] = spec.fill;
  if (written(values) !== written({ kind: 'preset', name: first }))
    query['values'] = written(values);
  if (channel !== channels[0]) query['channel'] = channel;
  if (corner) query['at'] = `${corner.row},${corner.column}`;
  if (cell.row || cell.column) query['cell'] = `${cell.row},${cell.column}`;
  return query;
}
