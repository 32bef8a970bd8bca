import { describe, expect, it } from 'vitest';
import { Latest } from './latest';

/** Questions whose answers are given by hand. */
function desk() {
  const open = new Map<string, (answer: string) => void>();
  const told: string[] = [];
  const failed: unknown[] = [];
  const latest = new Latest<string>(3);
  const ask = (key: string) =>
    latest.ask(
      key,
      (signal) =>
        new Promise((answer, refuse) => {
          open.set(key, answer);
          signal.addEventListener('abort', () => refuse(new DOMException('', 'AbortError')));
        }),
      (answer) => told.push(answer),
      (thrown) => failed.push(thrown)
    );
  const prepare = (key: string) =>
    latest.prepare(
      key,
      (signal) =>
        new Promise((answer, refuse) => {
          open.set(key, answer);
          signal.addEventListener('abort', () => refuse(new DOMException('', 'AbortError')));
        })
    );
  const answer = async (key: string) => {
    open.get(key)?.(key.toUpperCase());
    open.delete(key);
    await new Promise((done) => setTimeout(done));
  };
  return { open, told, failed, latest, ask, prepare, answer };
}

describe('the latest question', () => {
  it('is not sent again while it is on its way, and takes the place of one that waits', async () => {
    const { ask, answer, open, told } = desk();
    ask('a');
    ask('a');
    await answer('a');
    expect([...open.keys()]).toEqual([]);
    expect(told).toEqual(['A']);
    for (const key of ['b', 'c', 'b']) ask(key);
    await answer('b');
    expect([...open.keys()]).toEqual([]);
    expect(told).toEqual(['A', 'B']);
  });

  it('is sent when the answer before it has come; those between are left out', async () => {
    const { ask, answer, open, told } = desk();
    for (const key of ['a', 'b', 'c', 'd']) ask(key);
    expect([...open.keys()]).toEqual(['a']);
    await answer('a');
    expect([...open.keys()]).toEqual(['d']);
    await answer('d');
    expect(told).toEqual(['A', 'D']);
  });

  it('is answered from memory at once, and calls off what is on its way', async () => {
    const { ask, answer, told, failed } = desk();
    ask('a');
    await answer('a');
    ask('b');
    ask('a');
    await answer('b');
    expect(told).toEqual(['A', 'A']);
    expect(failed).toEqual([]);
  });

  it('is forgotten on request, without a complaint', async () => {
    const { ask, answer, latest, told, failed } = desk();
    ask('a');
    latest.drop();
    ask('b');
    await answer('b');
    expect(told).toEqual(['B']);
    expect(failed).toEqual([]);
  });

  it('is remembered only as long as there is room', async () => {
    const { ask, answer, latest } = desk();
    for (const key of ['a', 'b', 'c', 'd']) {
      ask(key);
      await answer(key);
    }
    expect(latest.peek('a')).toBeUndefined();
    expect(latest.peek('d')).toBe('D');
  });

  it('takes what was prepared for it, and does not ask twice', async () => {
    const { ask, prepare, answer, open, told, failed } = desk();
    prepare('a');
    const sent = open.get('a');
    expect(told).toEqual([]);
    ask('a');
    expect(open.get('a')).toBe(sent);
    await answer('a');
    prepare('b');
    await answer('b');
    ask('b');
    expect(told).toEqual(['A', 'B']);
    expect(failed).toEqual([]);
  });

  it('does not wait for what was prepared but is not asked', async () => {
    const { ask, prepare, answer, open, told, failed, latest } = desk();
    prepare('a');
    ask('b');
    expect([...open.keys()]).toEqual(['a', 'b']);
    prepare('c');
    expect(open.has('c')).toBe(false);
    await answer('a');
    expect(latest.peek('a')).toBeUndefined();
    await answer('b');
    expect(told).toEqual(['B']);
    expect(failed).toEqual([]);
  });
});
