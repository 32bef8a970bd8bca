/** Arrow keys on a grid: how many rows and columns each leads on. */
const steps: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1]
};

/** Rows and columns that an arrow key alone leads on; null for any other key. */
export function arrow(event: KeyboardEvent): readonly [number, number] | null {
  const isAlone = !event.ctrlKey && !event.metaKey && !event.altKey;
  return (isAlone && steps[event.key]) || null;
}
