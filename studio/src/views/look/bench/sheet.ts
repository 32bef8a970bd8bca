/**
 * Where the maps of a convolution's channels lie: one column a channel, as many beside each other
 * as there is room for, each with its input map, its kernel and its partial map below each other.
 */
import type { Box } from '../../../scale/raster';

export interface Size {
  width: number;
  height: number;
}

export interface ChannelPlace {
  /** the whole column */
  column: Box;
  input: Box;
  kernel: Box;
  partial: Box;
}

export interface SheetPlan extends Size {
  channels: ChannelPlace[];
}

const side = 3; // px on either side of a map
const label = 17; // px above it
const sign = 15; // px for × and =
export const kernelSide = 30;
const between = 12; // px between lines of columns

/** A map's size with whole pixels for each cell, its longest side being at most `most`. */
export function mapBox({ width, height }: Size, most: number): Size {
  const longest = Math.max(width, height);
  const scale = longest <= most ? Math.floor(most / longest) : most / longest;
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** `room` is the width in CSS pixels; at least one column is placed. */
export function sheet(count: number, room: number, input: Size, partial: Size): SheetPlan {
  const pitch = Math.max(input.width, partial.width, kernelSide) + 2 * side;
  const height = label + input.height + sign + kernelSide + sign + partial.height + side;
  const across = Math.max(1, Math.min(count, Math.floor(room / pitch)));
  const middle = (width: number) => (pitch - width) / 2;
  const channels = Array.from({ length: count }, (_, i): ChannelPlace => {
    const x = (i % across) * pitch;
    const y = Math.floor(i / across) * (height + between);
    const [top, low] = [y + label, y + label + input.height + sign];
    return {
      column: { x, y, width: pitch, height },
      input: { x: x + middle(input.width), y: top, ...input },
      kernel: { x: x + middle(kernelSide), y: low, width: kernelSide, height: kernelSide },
      partial: { x: x + middle(partial.width), y: low + kernelSide + sign, ...partial }
    };
  });
  const lines = Math.ceil(count / across);
  return { channels, width: across * pitch, height: lines * (height + between) - between };
}

/** A box in cells of a map, as CSS pixels in the map's place. */
export function within(cells: Box, map: Size, place: Box): Box {
  const [x, y] = [place.width / map.width, place.height / map.height];
  return {
    x: place.x + cells.x * x,
    y: place.y + cells.y * y,
    width: cells.width * x,
    height: cells.height * y
  };
}
