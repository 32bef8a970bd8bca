/**
 * Where the card stands: beside what it points at, never on it where there is any room. CSS pixels of
 * the window; pure.
 */
import type { Box } from '../scale/raster';

export interface Size {
  width: number;
  height: number;
}

export interface Spot {
  x: number;
  y: number;
}

const gap = 14; // between the card and what it points at
const edge = 12; // between the card and the window's edge

/** Square pixels that two boxes share. */
export function overlap(a: Box, b: Box): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, across) * Math.max(0, down);
}

/**
 * `free`: the part of the window in which the card may stand. `now`: where it stands already; it stays
 * there as long as it is not in the way.
 */
export function beside(target: Box | null, card: Size, free: Box, now: Spot | null): Spot {
  const least = { x: free.x + edge, y: free.y + edge };
  const most = {
    x: Math.max(least.x, free.x + free.width - card.width - edge),
    y: Math.max(least.y, free.y + free.height - card.height - edge)
  };
  const inside = ({ x, y }: Spot): Spot => ({
    x: Math.round(Math.max(least.x, Math.min(most.x, x))),
    y: Math.round(Math.max(least.y, Math.min(most.y, y)))
  });
  const corner = most;
  if (!target) return now ? inside(now) : inside(corner);
  const { x, y, width, height } = target;
  const high = y + height / 2 - card.height / 2;
  const spots = [
    ...(now ? [now] : []),
    { x: x + width + gap, y: high },
    { x: x - gap - card.width, y: high },
    { x, y: y + height + gap },
    { x, y: y - gap - card.height },
    corner,
    { x: least.x, y: most.y },
    { x: most.x, y: least.y },
    least
  ].map(inside);
  const wide = { x: x - gap / 2, y: y - gap / 2, width: width + gap, height: height + gap };
  const covers = (spot: Spot) => overlap({ ...spot, ...card }, wide);
  return spots.reduce((best, spot) => (covers(spot) < covers(best) ? spot : best));
}

export type Side = 'low' | 'high';

/** On a narrow window the card is a sheet at one end; it changes sides only where it would be in the way. */
export function sideOf(target: Box | null, height: number, free: Box, now: Side): Side {
  if (!target) return now;
  const end = free.y + free.height;
  const sheet = (side: Side): Box => ({
    x: free.x,
    y: side === 'high' ? free.y : end - height,
    width: free.width,
    height
  });
  const other = now === 'low' ? 'high' : 'low';
  return overlap(sheet(other), target) < overlap(sheet(now), target) ? other : now;
}
