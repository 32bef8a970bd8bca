/** A kernel's numbers as they are shown, typed and dragged. Pure. */

/** weight, by 0.1 of which an arrow moves; by how much a pixel of a drag does */
export const arrow = 0.1;
export const pixel = 0.01;
const limit = 1e6;

export const shown = (number: number): string =>
  String(Number(number.toFixed(4))).replace('-', '−');

/** What was typed as a number; null: none, or what stands there already. */
export function typed(text: string, standing: number): number | null {
  const tidy = text.trim().replace('−', '-').replace(',', '.');
  const now = Number(tidy);
  if (tidy === '' || !Number.isFinite(now) || text === shown(standing)) return null;
  return Math.max(-limit, Math.min(limit, now));
}

/** Where a drag that began at `start` has got to: up is more, ten times as fast with Shift. */
export function dragged(start: number, up_px: number, isFast: boolean): number {
  return Number((start + up_px * pixel * (isFast ? 10 : 1)).toFixed(4));
}

/** Which channels stand beside each other: those of a photo together, of a wider layer one. */
export function channelsOf(channels: number, chosen: number): number[] {
  if (channels <= 4) return Array.from({ length: channels }, (_, c) => c);
  return [Math.min(chosen, channels - 1)];
}
