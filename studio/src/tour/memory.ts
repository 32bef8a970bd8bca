/** Which card was open last and which were done, as far as the browser remembers anything. */
import { isCard, type CardId } from './cards';

export interface Memory {
  at: CardId | null;
  done: readonly CardId[];
}

const key = 'seethrough-tour';
const nothing: Memory = { at: null, done: [] };

/** What cannot be read was never there. */
export function read(text: string | null): Memory {
  try {
    const said = JSON.parse(text ?? '{}') as { at?: unknown; done?: unknown };
    const card = (id: unknown): id is CardId => typeof id === 'string' && isCard(id);
    const done = Array.isArray(said.done) ? said.done.filter(card) : [];
    return { at: card(said.at) ? said.at : null, done: [...new Set(done)] };
  } catch {
    return nothing;
  }
}

export function remembered(): Memory {
  try {
    return read(localStorage.getItem(key));
  } catch {
    return nothing; // a browser that keeps nothing
  }
}

export function remember(memory: Memory): void {
  try {
    localStorage.setItem(key, JSON.stringify(memory));
  } catch {
    // a browser that keeps nothing: the tour works all the same
  }
}
