/**
 * What a card asks its reader to do: where it begins, what it points at, and when it is done. Pure:
 * whether something happened is read from the address, which says where the reader is.
 */
import type { Goal, Place } from '../state/place';
import { mapOf, unitOf, type Facts, type LayerFact } from './facts';
import { at } from './targets';
import { tasks } from './words';

/** One thing to do. */
export interface Task {
  ask: string;
  /** what is to be seen once it is done */
  see: string;
  /** where it begins; the run is added */
  start: Goal;
  /** selectors, the first one on the page is pointed at */
  at: readonly string[];
  /** the same once it is done */
  then: readonly string[];
  /** parts of the studio without which it cannot be done */
  needs: readonly string[];
  /** `since`: the place when the reader came to this view, layer and unit, or to this card */
  reached(now: Place, since: Place): boolean;
}

type Words = Pick<Task, 'ask' | 'see'>;

// ------------------------------------------------------------ tasks in Look

type Look = Partial<Pick<Goal, 'layer' | 'unit' | 'cell' | 'query'>>;

export const look = (facts: Facts, more: Look = {}): Goal => ({
  view: 'look',
  photo: facts.photo ?? undefined,
  ...more
});

export const isAt = (now: Place, layer: string, mode?: string): boolean =>
  now.view === 'look' &&
  now.layer === layer &&
  now.unit !== undefined &&
  now.query['mode'] === mode;

/** Clicking a unit of a layer; any unit of it will do. */
export function click(facts: Facts, layer: string, words: Words, more: Partial<Task> = {}): Task {
  return {
    ask: words.ask,
    see: words.see,
    start: look(facts),
    at: at.unit(layer, 0),
    then: at.bench,
    needs: ['look'],
    reached: (now) => isAt(now, layer),
    ...more
  };
}

/** `see` of some tasks is a sentence already. */
export const told = (ask: string, see: string): Words => ({ ask, see });

export function clickUnit(
  facts: Facts,
  layer: LayerFact,
  id: 'kernel' | 'relu' | 'receptive-field'
) {
  const unit = unitOf(layer);
  const words = told(tasks[id].ask(layer.name, unit), tasks[id].see);
  return click(facts, layer.name, words, { at: at.unit(layer.name, unit) });
}

const middle = (layer: LayerFact): { row: number; column: number } => {
  const [height, width] = mapOf(layer);
  return { row: Math.floor(height / 2), column: Math.floor(width / 2) };
};

/** A convolution's map with the window in its middle. */
export const onMap = (facts: Facts, layer: LayerFact): Goal =>
  look(facts, { layer: layer.name, unit: unitOf(layer), cell: middle(layer) });

export const isSame = (a: Place['cell'], b: Place['cell']): boolean =>
  a?.row === b?.row && a?.column === b?.column;

// ------------------------------------------------------------ tasks in the sandbox

/** Changing what stands behind the question mark under this name. */
export function sandbox(facts: Facts, key: string, words: Words, target: readonly string[]): Task {
  return {
    ...words,
    start: { view: 'sandbox', query: facts.photo ? { photo: facts.photo } : {} },
    at: target,
    then: key === 'values' || key === 'cell' ? at.output : at.size,
    needs: ['sandbox'],
    reached: (now, since) =>
      now.view === 'sandbox' && now.query[key] !== undefined && now.query[key] !== since.query[key]
  };
}
