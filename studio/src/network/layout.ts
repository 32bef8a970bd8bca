/**
 * Where everything in the drawn network stands, in CSS pixels; pure.
 *
 *     photo → R G B → layer → … → logits → probabilities
 *
 * Layers that go together (convolution, norm, activation, pooling) stand close; before each
 * convolution, dense layer and flattening there is room for the curves that lead into it.
 * Maps are as large as the width allows, between two limits; below the lower one the drawing
 * grows wider than its container, which then scrolls sideways. Where it would be several times as
 * wide, of each layer fewer units are drawn, and blocks of layers are folded.
 */
import { fewClasses, mostClasses } from '../format/likeliest';
import type { TracedLayerMessage } from '../api/types';
import type { Box } from '../scale/raster';
import { blockOf, depths, fold, jumps, type Item, type Jump } from './fold';
import { isAnswer, isUnitwise } from './kinds';

/** `maps`: one tile a unit; `strip`: a long vector as one thin column; `cells`: few numbers; `bars`: probabilities */
export type Form = 'maps' | 'strip' | 'cells' | 'bars';

export interface Column {
  name: string;
  form: Form;
  kind: string;
  layer: TracedLayerMessage;
  /** units that are drawn; `units` may be more */
  drawn: number;
  /** which ones those are, in order; null where all are drawn */
  shown: readonly number[] | null;
  units: number;
  x: number;
  y: number;
  width: number;
  height: number;
  /** of one unit's tile, and from one tile to the next */
  tile: number;
  pitch: number;
  /** tiles that stand below each other before the next sub-column begins */
  rows: number;
  /** room for the title, up to the next one */
  titleWidth: number;
  /** room for the line below the title, up to the next one */
  lineWidth: number;
  /** the shape is written where it changes */
  showsShape: boolean;
  /** the block it belongs to; null: none, or nothing is folded */
  block: string | null;
  /** layers that are folded into it; 1: only itself */
  count: number;
}

export interface Layout {
  photo: Box;
  /** R, G and B of the photo */
  channels: Box[];
  columns: Column[];
  /** what is read from further back than the column before */
  jumps: Jump[];
  /** the block of every layer that belongs to one, whether it is folded or not */
  blockOf: ReadonlyMap<string, string>;
  width: number;
  height: number;
  tile: number;
}

export interface Room {
  width: number;
  /** of the tiles, in CSS pixels */
  smallest: number;
  largest: number;
}

const maxRows = 16;
const drawnUnits = [128, 64, 32, 16]; // of one layer; how many there are is said in words
const widest = 4; // times its container, before fewer units are drawn
const foldsAt = 2.5; // times its container with the fewest units, before blocks are folded
const maxCells = 24; // numbers of a vector that are drawn as tiles
const gap = { photo: 18, near: 9, far: 28, block: 22, row: 4, sub: 4 } as const;
const stripWidth = 16;
const barsWidth = 200;
const widePhoto = 72;

function formOf(layer: TracedLayerMessage): Form {
  if (layer.shape.length === 3) return 'maps';
  const units = layer.shape[0] ?? 0;
  if (isAnswer(layer)) return 'bars';
  return units <= maxCells && layer.kind !== 'flatten' ? 'cells' : 'strip';
}

function gapBefore(layer: TracedLayerMessage, form: Form, before?: TracedLayerMessage): number {
  if (form === 'bars') return gap.far;
  if (before && formOf(before) === 'strip') return gap.far; // a strip is narrower than its name
  return isUnitwise(layer.kind) && layer.kind !== 'normalise' ? gap.near : gap.far;
}

/**
 * At most so many units of a layer, in order: those that are drawn where there are too many, or
 * where `isPicky` says that not all of a layer are wanted.
 */
export type Choose = (layer: TracedLayerMessage, most: number) => number[];

export interface Wish {
  choose?: Choose;
  /** `choose` is asked about every layer with maps */
  isPicky?: boolean;
  /** blocks that are not folded */
  open?: (block: string) => boolean;
}

const firstOnes: Choose = (_, most) => Array.from({ length: most }, (_, unit) => unit);

interface Draft extends Item {
  form: Form;
  drawn: number;
  shown: readonly number[] | null;
  rows: number;
  before: number;
}

function draft(item: Item, before: Draft | undefined, wish: Wish, most: number): Draft {
  const { layer } = item;
  const { choose = firstOnes, isPicky = false } = wish;
  const form = formOf(layer);
  const units = layer.shape[0] ?? 0;
  // beside the layer that it reads, a unit stands in the same row
  const isBeside =
    isUnitwise(layer.kind) &&
    before?.layer.name === layer.inputs[0] &&
    before?.layer.shape[0] === units;
  const some = form === 'maps' ? units > most || isPicky : form === 'bars' && units > mostClasses;
  const many = form === 'bars' ? fewClasses : most;
  const chosen = !some ? null : isBeside && !isPicky ? before!.shown : choose(layer, many);
  const shown = chosen && chosen.length < units ? chosen : null;
  const drawn = shown?.length ?? units;
  const rows = form === 'maps' ? Math.min(drawn, maxRows) : drawn;
  // the name of a block is wider than its column
  const isBlock = item.count > 1 || (before?.count ?? 1) > 1;
  const room = isBlock ? gap.block : gapBefore(layer, form, before?.layer);
  return { ...item, form, drawn, shown, rows, before: room };
}

function drafted(items: readonly Item[], wish: Wish, most: number): Draft[] {
  const drafts: Draft[] = [];
  for (const item of items) drafts.push(draft(item, drafts.at(-1), wish, most));
  return drafts;
}

function widthOf({ form, drawn, rows }: Draft, tile: number): number {
  if (form === 'strip') return stripWidth;
  if (form === 'bars') return barsWidth;
  if (form === 'cells') return tile;
  const subs = Math.ceil(drawn / rows);
  return subs * tile + (subs - 1) * gap.sub;
}

function total(drafts: Draft[], tile: number): number {
  const columns = drafts.reduce((sum, d) => sum + d.before + widthOf(d, tile), 0);
  return widePhoto + gap.photo + tile + columns;
}

/**
 * Of how many parts of their names the blocks are made: where the drawing would be much wider than
 * its container, the finest blocks that fit; else none.
 */
function depthOf(layers: readonly TracedLayerMessage[], room: Room): number {
  const least = drawnUnits.at(-1)!;
  const widthAt = (items: Item[]) => total(drafted(items, {}, least), room.smallest);
  if (widthAt(fold(layers, 0, () => true)) <= foldsAt * room.width) return 0;
  const closed = () => false;
  const ways = depths(layers).map((depth) => {
    const items = fold(layers, depth, closed);
    return { depth, width: widthAt(items), ends: items.map(({ layer }) => layer.name).join(' ') };
  });
  const [narrowest] = [...ways].sort((a, b) => a.width - b.width);
  const fitting = ways.find(({ width }) => width <= room.width) ?? narrowest;
  // of the same blocks by longer and shorter names the shortest: stages.0, not stages.0.layers
  return ways.findLast(({ ends }) => ends === fitting?.ends)?.depth ?? 0;
}

/** How many units of a layer are drawn at most. */
function manyOf(items: readonly Item[], room: Room): number {
  const isFolded = items.some(({ block }) => block !== null);
  const fits = (many: number) =>
    total(drafted(items, {}, many), room.smallest) <= widest * room.width;
  return drawnUnits.find((many) => !isFolded && fits(many)) ?? drawnUnits.at(-1)!;
}

/** The whole drawing for a container of this width. */
export function layout(layers: readonly TracedLayerMessage[], room: Room, wish: Wish = {}): Layout {
  const depth = depthOf(layers, room);
  const items = fold(layers, depth, wish.open ?? (() => false));
  const drafts = drafted(items, wish, manyOf(items, room));
  let tile = room.largest;
  while (tile > room.smallest && total(drafts, tile) > room.width) tile--;
  const far = drafts.filter((d) => d.before >= gap.block).length;
  const spare = Math.max(0, room.width - total(drafts, tile));
  const wider = Math.min(40, far ? Math.floor(spare / far) : 0);

  const pitch = tile + gap.row;
  const rows = Math.max(3, ...drafts.filter((d) => d.form === 'maps').map((d) => d.rows));
  const height = rows * pitch - gap.row;
  const middle = (boxHeight: number) => Math.round((height - boxHeight) / 2);

  const x0 = widePhoto + gap.photo;
  const channelPitch = pitch + tile / 2;
  const channels = [-1, 0, 1].map((i) => ({
    x: x0,
    y: middle(tile) + Math.round(i * channelPitch),
    width: tile,
    height: tile
  }));
  let x = x0 + tile;
  const columns = drafts.map((d, index): Column => {
    x += d.before + (d.before >= gap.block ? wider : 0);
    const width = widthOf(d, tile);
    const vertical = d.form === 'cells' || d.form === 'bars';
    const own = d.form === 'strip' ? height : d.rows * pitch - gap.row;
    const column: Column = {
      name: d.layer.name,
      kind: d.layer.kind,
      form: d.form,
      layer: d.layer,
      units: d.layer.shape[0] ?? 0,
      drawn: d.drawn,
      shown: d.shown,
      rows: d.rows,
      x,
      y: vertical && own > height ? 0 : middle(own),
      width,
      height: own,
      tile,
      pitch: d.form === 'strip' ? height / Math.max(1, d.drawn) : pitch,
      titleWidth: 0,
      lineWidth: 0,
      showsShape: index === 0 || String(d.layer.shape) !== String(drafts[index - 1]!.layer.shape),
      block: d.block,
      count: d.count
    };
    x += width;
    return column;
  });
  let told: Column | undefined; // the next one that has a line below its title
  for (let i = columns.length - 1; i >= 0; i--) {
    const [column, next] = [columns[i]!, columns[i + 1]];
    column.titleWidth = next ? next.x - column.x - 2 : column.width;
    column.lineWidth = told ? told.x - column.x - 6 : Math.max(column.width, column.titleWidth);
    if (column.showsShape || column.count > 1 || column.form === 'bars') told = column;
  }
  const tallest = Math.max(height, ...columns.map((c) => c.y + c.height));
  return {
    photo: { x: 0, y: middle(widePhoto), width: widePhoto, height: widePhoto },
    channels,
    columns,
    jumps: jumps(layers, items),
    blockOf: blockOf(layers, depth),
    width: x,
    height: tallest,
    tile
  };
}

/** The place of a unit among those that are drawn; −1 where it is not. */
export function slotOf({ shown, drawn }: Column, unit: number): number {
  if (shown) return shown.indexOf(unit);
  return unit >= 0 && unit < drawn ? unit : -1;
}

/** The units that are drawn, in their order. */
export const unitsOf = (column: Column): number[] =>
  Array.from({ length: column.drawn }, (_, slot) => unitAt(column, slot));

/** The unit that is drawn at a place. */
export const unitAt = ({ shown }: Column, slot: number): number => shown?.[slot] ?? slot;

/** Where one unit is drawn; null where it is one of those that are not. */
export function unitBox(column: Column, unit: number): Box | null {
  const slot = slotOf(column, unit);
  if (slot < 0) return null;
  if (column.form === 'strip') {
    return {
      x: column.x,
      y: column.y + slot * column.pitch,
      width: column.width,
      height: column.pitch
    };
  }
  const sub = Math.floor(slot / column.rows);
  const size = column.form === 'bars' ? column.width : column.tile;
  return {
    x: column.x + sub * (column.tile + gap.sub),
    y: column.y + (slot % column.rows) * column.pitch,
    width: size,
    height: column.tile
  };
}

/** The unit of a strip at a height inside it. */
export function stripUnit(column: Column, y: number): number {
  return Math.max(0, Math.min(column.drawn - 1, Math.floor(y / column.pitch)));
}
