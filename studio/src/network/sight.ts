/** Brings what was selected into sight: sideways in the drawing, and above a sheet that covers the window's end. */
import type { Box } from '../scale/raster';

const margin = 40; // px from the edge at which a unit counts as seen

/** CSS pixels of the window's lower end that lie under a sheet. */
const covered = (): number =>
  parseFloat(getComputedStyle(document.documentElement).scrollPaddingBottom) || 0;

export function bringIntoSight(container: HTMLElement, drawing: HTMLElement, unit: Box): void {
  const { scrollLeft, clientWidth } = container;
  const isOut =
    unit.x < scrollLeft + margin || unit.x + unit.width > scrollLeft + clientWidth - margin;
  if (isOut) container.scrollTo({ left: unit.x - clientWidth / 2, behavior: 'smooth' });
  const { top } = drawing.getBoundingClientRect();
  const [low, free] = [top + unit.y + unit.height, innerHeight - covered()];
  if (low > free) scrollBy({ top: low - free, behavior: 'smooth' });
}
