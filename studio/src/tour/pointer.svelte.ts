/** What a card points at, as the page has it now: the element, and where it is seen in the window. */
import type { Box } from '../scale/raster';

const look_ms = 120; // how often a page that changes by itself is looked at
const bring_ms = 2500; // what is pointed at is brought into sight within this time
const apart_ms = 600; // one attempt from the next: scrolling takes its time

export class Pointer {
  element = $state.raw<HTMLElement | null>(null);
  /** its visible part, in CSS pixels of the window; null where nothing of it can be seen */
  box = $state.raw<Box | null>(null);
  /** CSS pixels of the window's upper end that lie under the header */
  top = $state(0);
  #selectors: readonly string[] = [];
  /** until then it is brought into sight; the reader's own hand ends it */
  #until = 0;
  #next = 0;

  /** Attached while a card is open. Returns the way off. */
  watch(): () => void {
    let frame = 0;
    const look = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.look());
    };
    const timer = setInterval(() => this.look(), look_ms);
    addEventListener('scroll', look, { capture: true, passive: true });
    addEventListener('resize', look);
    const leave = () => (this.#until = 0);
    addEventListener('wheel', leave, { passive: true });
    addEventListener('touchmove', leave, { passive: true });
    return () => {
      clearInterval(timer);
      cancelAnimationFrame(frame);
      removeEventListener('scroll', look, { capture: true });
      removeEventListener('resize', look);
      removeEventListener('wheel', leave);
      removeEventListener('touchmove', leave);
    };
  }

  /** Points at the first of these on the page, now or when it comes, and brings it into sight once. */
  at(selectors: readonly string[]): void {
    if (selectors.join() === this.#selectors.join()) return;
    this.#selectors = selectors;
    this.#until = performance.now() + bring_ms;
    this.#next = 0;
    this.look();
  }

  look(): void {
    const element = found(this.#selectors);
    if (element !== this.element) this.element = element;
    const box = element && visible(element);
    if (!isSame(box, this.box)) this.box = box;
    const top = Math.max(
      0,
      document.querySelector('[data-part="header"]')?.getBoundingClientRect().bottom ?? 0
    );
    if (top !== this.top) this.top = top;
    if (element) this.#bring(element, box);
  }

  /** The keyboard goes to it, or to the first thing in it that takes one. */
  focus(): void {
    const { element } = this;
    if (!element) return;
    const able = 'a[href], button:not([disabled]), input, select, [tabindex="0"]';
    const to = element.matches(able) ? element : element.querySelector<HTMLElement>(able);
    to?.focus();
  }

  /** Only what can hardly be seen is scrolled to. */
  #bring(element: HTMLElement, box: Box | null): void {
    const now = performance.now();
    if (now > this.#until || now < this.#next) return;
    const { width, height } = element.getBoundingClientRect();
    const isSeen = box && box.width >= Math.min(width, 120) && box.height >= Math.min(height, 160);
    if (isSeen) return;
    this.#next = now + apart_ms;
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const block = height > innerHeight / 2 ? 'start' : 'center';
    element.scrollIntoView({ block, inline: 'center', behavior: isStill ? 'auto' : 'smooth' });
  }
}

function found(selectors: readonly string[]): HTMLElement | null {
  for (const selector of selectors) {
    for (const element of document.querySelectorAll<HTMLElement>(selector)) {
      const { width, height } = element.getBoundingClientRect();
      if (width > 0 && height > 0) return element;
    }
  }
  return null;
}

/** What the window and everything that scrolls leave of an element. */
function visible(element: HTMLElement): Box | null {
  let { left, top, right, bottom } = element.getBoundingClientRect();
  for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
    const { overflowX, overflowY } = getComputedStyle(at);
    if (overflowX === 'visible' && overflowY === 'visible') continue;
    const cut = at.getBoundingClientRect();
    [left, right] = [Math.max(left, cut.left), Math.min(right, cut.right)];
    [top, bottom] = [Math.max(top, cut.top), Math.min(bottom, cut.bottom)];
  }
  [left, right] = [Math.max(left, 0), Math.min(right, innerWidth)];
  [top, bottom] = [Math.max(top, 0), Math.min(bottom, covered(element))];
  return right > left && bottom > top
    ? { x: left, y: top, width: right - left, height: bottom - top }
    : null;
}

/** Where a sheet begins that lies over this element; else the window's end. */
function covered(element: HTMLElement): number {
  const sheet = document.querySelector('.drawer.isOpen');
  if (!sheet || sheet.contains(element) || getComputedStyle(sheet).position !== 'fixed')
    return innerHeight;
  return Math.min(innerHeight, sheet.getBoundingClientRect().top);
}

const isSame = (a: Box | null, b: Box | null): boolean =>
  a === b ||
  (!!a && !!b && a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height);
