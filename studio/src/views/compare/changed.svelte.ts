/** The same photo, changed by hand, in both: what is done to it, and what becomes of it. */
import { refusal, type Refused } from '../../api/ask';
import { api } from '../../api/client';
import { Latest } from '../../api/latest';
import type { Route } from '../../state/route.svelte';
import { difference } from '../look/learn/gradients';
import { Scene } from '../look/scene';
import {
  nothing,
  question,
  read,
  written,
  type Change,
  type Colour,
  type Stroke
} from '../try/change';
import { photoAfter, type Hand } from '../try/hand';
import type { Both, Otherwise } from './both';
import { carryChange, carryPaint, mostPainted, type Size } from './carry';
import type { Compare } from './compare.svelte';

const settled_ms = 300; // the address follows when the hand rests

export class ChangedPhoto implements Hand {
  #compare: Compare;
  #route: Route;

  brush = $state.raw<Colour>([208, 32, 32]);
  paint = $state.raw<readonly Stroke[]>([]);
  refused = $state.raw<{ key: string; problem: Refused } | null>(null);
  #draft = $state.raw<Change | null>(null);
  #found = $state.raw<Otherwise | null>(null);
  #latest = new Latest<Otherwise>(12);
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(compare: Compare, route: Route) {
    [this.#compare, this.#route] = [compare, route];
  }

  /** Of the photo alone: units and functions belong to one network. */
  change: Change = $derived.by(() => {
    const { off, functions, temperature } = nothing;
    const own = this.#draft ?? read(this.#route.current.query);
    return { ...own, off, functions, temperature };
  });
  isChanged: boolean = $derived.by(
    () => Object.keys(written(this.change)).length > 0 || this.paint.length > 0
  );
  /** as the first network gets it; the second's may have another size */
  size: Size | null = $derived.by(() => this.#compare.both?.first.pixels ?? null);
  pixels = $derived.by(() => {
    const { both } = this.#compare;
    return both && (this.of(both)?.first.after.pixels ?? both.first.pixels);
  });
  isOriginal = false; // what is drawn is always the photo as it is changed

  /** null: it was refused, which is said; undefined: not there yet. */
  of(both: Both): Otherwise | null | undefined {
    if (this.#found?.of === both) return this.#found;
    return this.refused?.key.startsWith(both.key) ? null : undefined;
  }

  set(part: Partial<Change>): void {
    this.#draft = { ...this.change, ...part };
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.settle(), settled_ms);
  }

  /** Write the draft into the address. */
  settle(): void {
    clearTimeout(this.#settling);
    const draft = this.#draft;
    if (!draft) return;
    const cleared = Object.fromEntries(
      Object.keys(written(read(this.#route.current.query))).map((name) => [name, undefined])
    );
    this.#compare.ask({ ...cleared, ...written(draft) });
    this.#draft = null;
  }

  /** As many as either side takes. */
  stroke(row: number, column: number, colour: Colour): void {
    const { both } = this.#compare;
    if (!both) return;
    const rest = this.paint.filter(([r, c]) => r !== row || c !== column);
    const all: Stroke[] = [...rest, [row, column, ...colour]];
    const carried = carryPaint(all, both.first.pixels, both.second.pixels);
    if (Math.max(all.length, carried.length) <= mostPainted) this.paint = all;
  }

  reset(): void {
    this.paint = [];
    this.set(nothing);
    this.settle();
  }

  /** Another photo, another brush: what was painted belongs to the one before. */
  forget(): void {
    this.paint = [];
  }

  /** Called from an effect. */
  ask(): void {
    const { both, doing, run, other } = this.#compare;
    if (doing !== 'Change the photo' || !both) return;
    const { change, paint } = this;
    const key = `${both.key} ${JSON.stringify([written(change), paint])}`;
    const side = async (at: 0 | 1, signal: AbortSignal) => {
      const scene = at ? both.second : both.first;
      const [from, to] = [both.first.pixels, scene.pixels];
      const { weights_sha256, photo } = scene.trace;
      const own = carryChange(change, from, to);
      const asked = {
        ...question(own, carryPaint(paint, from, to), [], weights_sha256),
        step: both.steps[at]
      };
      const { message, values } = await api.whatIf(at ? other : run, photo.id, asked, signal);
      const probabilities = message.probabilities_after.map((p) => p ?? NaN);
      const pixels = photoAfter(values, message.photo_offset, to);
      const after = new Scene({ ...scene.trace, probabilities }, values, pixels);
      return { after, change: difference(scene, after) };
    };
    this.#latest.ask(
      key,
      async (signal) => {
        const [first, second] = await Promise.all([side(0, signal), side(1, signal)]);
        return { key, of: both, first, second, steps: null };
      },
      (found) => ([this.#found, this.refused] = [found, null]),
      (thrown) => {
        const problem = refusal(thrown);
        if (problem) this.refused = { key, problem };
      }
    );
  }

  leave(): void {
    clearTimeout(this.#settling);
    this.#latest.drop();
  }
}
