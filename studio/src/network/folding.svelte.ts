/** Which blocks of a deep network are open, and whether only living units are drawn: the address says. */
import type { Route } from '../state/route.svelte';
import type { TracedLayerMessage } from '../api/types';
import { changed } from '../views/look/learn/figures';
import { named } from '../views/look/learn/truth';
import type { Scene } from '../views/look/scene';
import { isAnswer } from './kinds';
import type { Layout, Wish } from './layout';

export class Folding {
  #route: Route;

  constructor(route: Route) {
    this.#route = route;
  }

  #said = $derived.by(() => this.#route.current.query['open'] ?? '');
  open: ReadonlySet<string> = $derived(new Set(this.#said.split(',').filter(Boolean)));
  isLiving = $derived.by(() => this.#route.current.query['living'] === '1');

  /** What is drawn of a scene. */
  wish(scene: Scene): Wish {
    const { open, isLiving } = this;
    return {
      open: (block) => open.has('all') || open.has(block),
      isPicky: isLiving,
      choose: (layer, most) =>
        isAnswer(layer)
          ? this.#classes(scene, layer, most)
          : scene.mostActive(layer, most, isLiving)
    };
  }

  /** The most probable classes, with the true one and the one that is looked at; surest first. */
  #classes({ trace }: Scene, layer: TracedLayerMessage, most: number): number[] {
    const { classes, probabilities, photo } = trace;
    const { query, layer: at, unit } = this.#route.current;
    const isHere = at === layer.name || layer.inputs.includes(at ?? '');
    const own = photo.labels ?? [photo.label ?? ''];
    const truths = [...named(query['truth'] ?? ''), ...own].map((name) => classes.indexOf(name));
    const kept = new Set([...truths, isHere && unit !== undefined ? unit : -1]);
    const sorted = classes.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]!);
    const wanted = sorted.filter((i) => kept.has(i));
    const likely = sorted.filter((i) => !kept.has(i)).slice(0, most - wanted.length);
    const drawn = new Set([...wanted, ...likely]);
    return sorted.filter((i) => drawn.has(i));
  }

  toggle(block: string, drawn: Layout): void {
    const blocks = blocksOf(drawn);
    const now = this.open.has('all') ? blocks : blocks.filter((one) => this.open.has(one));
    const then = now.includes(block) ? now.filter((one) => one !== block) : [...now, block];
    this.#say({ open: then.join(',') || undefined });
  }

  all(isOpen: boolean): void {
    this.#say({ open: isOpen ? 'all' : undefined });
  }

  live(isLiving: boolean): void {
    this.#say({ living: isLiving ? '1' : undefined });
  }

  #say(query: Record<string, string | undefined>): void {
    const place = this.#route.current;
    this.#route.go({ ...place, query: changed(place.query, query) }, 'replace');
  }
}

/** The blocks of a drawing, from left to right. */
export const blocksOf = (drawn: Layout): string[] => [
  ...new Set(drawn.columns.flatMap(({ block }) => (block === null ? [] : [block])))
];
