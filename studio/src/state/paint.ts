/** What may wait until the screen shows what is there already. */

/** Runs `act` after the next frame is painted; at once where nothing is being painted. */
export function afterPaint(act: () => void): void {
  if (document.hidden) act();
  else requestAnimationFrame(() => setTimeout(act));
}
