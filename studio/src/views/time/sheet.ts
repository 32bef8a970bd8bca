/** Where each kernel or map of one moment stands on its sheet, in CSS pixels. Pure. */
import type { Box } from '../../scale/raster';

export interface Sheet {
  moments: number;
  units: number;
  /** cells of one picture */
  rows: number;
  columns: number;
  /** numbers of one moment */
  size: number;
  boxes: { box: Box; offset: number }[];
  height: number;
}

export const mostShown = 32; // units, and channels of each
const [gap, least, largest] = [6, 8, 72];

/**
 * Kernels (moments, units, channels, rows, columns): a column a unit, its channels below each other.
 * Maps (moments, units, rows, columns): in rows, as many as fit.
 */
export function laid(shape: readonly number[], width: number): Sheet {
  const [moments = 1, all = 0] = shape;
  const isKernel = shape.length === 5;
  const [rows = 1, columns = 1] = shape.slice(-2);
  const channels = isKernel ? (shape[2] ?? 1) : 1;
  const units = Math.min(all, mostShown);
  const shown = Math.min(channels, mostShown);
  // kernels of many channels are narrow, so that all of them stay in sight
  const [wanted, most] = isKernel ? (channels > 4 ? [14, 22] : [30, largest]) : [largest, largest];
  const across = Math.max(1, Math.floor((width + gap) / (wanted + gap)));
  const lines = Math.max(1, Math.ceil(units / across));
  const inRow = Math.max(1, isKernel ? Math.ceil(units / lines) : Math.min(units, across));
  const side = Math.max(least, Math.min(most, Math.floor((width + gap) / inRow) - gap));
  const tall = Math.max(2, Math.round((side * rows) / columns));
  const block = shown * (tall + 2) - 2 + 2 * gap;
  const boxes: Sheet['boxes'] = [];
  for (let unit = 0; unit < units; unit++)
    for (let channel = 0; channel < shown; channel++) {
      const x = (unit % inRow) * (side + gap);
      const y = Math.floor(unit / inRow) * block + channel * (tall + 2);
      const offset = (unit * channels + channel) * rows * columns;
      boxes.push({ box: { x, y, width: side, height: tall }, offset });
    }
  return {
    moments,
    units,
    rows,
    columns,
    size: all * channels * rows * columns,
    boxes,
    height: Math.max(0, lines * block - 2 * gap)
  };
}
