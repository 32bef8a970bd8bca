import { describe, expect, it } from 'vitest';
import { href } from '../state/place';
import { read } from './memory';
import { beside, overlap, sideOf } from './placing';
import { idsOf, lesson, unknown } from './share';
import { marked } from './terms';

const free = { x: 0, y: 52, width: 1440, height: 848 };
const card = { width: 372, height: 340 };

describe('the card stands', () => {
  const targets = [
    { x: 230, y: 295, width: 32, height: 32 },
    { x: 1390, y: 860, width: 40, height: 30 },
    { x: 24, y: 720, width: 1390, height: 170 },
    { x: 700, y: 60, width: 60, height: 830 },
    { x: 0, y: 52, width: 20, height: 20 }
  ];

  it.each(targets)('beside %o, inside the window, never on it', (target) => {
    const spot = beside(target, card, free, null);
    expect(overlap({ ...spot, ...card }, target)).toBe(0);
    expect(spot.x).toBeGreaterThanOrEqual(0);
    expect(spot.y).toBeGreaterThanOrEqual(free.y);
    expect(spot.x + card.width).toBeLessThanOrEqual(free.width);
    expect(spot.y + card.height).toBeLessThanOrEqual(free.y + free.height);
  });

  it('where it stood, as long as it is not in the way', () => {
    const now = { x: 600, y: 200 };
    expect(beside(targets[0]!, card, free, now)).toEqual(now);
    expect(beside({ x: 650, y: 300, width: 40, height: 40 }, card, free, now)).not.toEqual(now);
    expect(beside(null, card, free, now)).toEqual(now);
  });

  it('inside a window that is smaller than it', () => {
    const spot = beside(null, card, { x: 0, y: 0, width: 300, height: 200 }, null);
    expect(spot).toEqual({ x: 12, y: 12 });
  });

  it('at the other end of a phone when it would hide what it points at', () => {
    const phone = { x: 0, y: 92, width: 390, height: 752 };
    const low = { x: 20, y: 600, width: 100, height: 40 };
    const high = { x: 20, y: 150, width: 100, height: 40 };
    expect(sideOf(low, 300, phone, 'low')).toBe('high');
    expect(sideOf(high, 300, phone, 'high')).toBe('low');
    expect(sideOf(high, 300, phone, 'low')).toBe('low');
    expect(sideOf(null, 300, phone, 'high')).toBe('high');
  });
});

describe('what the browser remembers', () => {
  it.each([
    null,
    '',
    'null',
    '[]',
    '{"at":3,"done":"kernel"}',
    '{broken',
    '{"done":[{}, "nothing"]}'
  ])('is nothing where %j stands', (text) => expect(read(text)).toEqual({ at: null, done: [] }));

  it('is the card and what was done, each once', () => {
    const text = JSON.stringify({ at: 'relu', done: ['kernel', 'kernel', 'gone', 'loss'] });
    expect(read(text)).toEqual({ at: 'relu', done: ['kernel', 'loss'] });
  });
});

describe('a lesson', () => {
  const place = {
    view: 'look',
    run: 'r',
    photo: 't3',
    layer: 'conv1',
    unit: 2,
    query: { mode: 'step' }
  } as const;
  const plan = { tour: 'stride', steps: ['kernel', 'stride'], hide: ['header'] };

  it('leads everybody to the card, on their own network', () => {
    expect(lesson(place, { ...plan, isOwn: false })).toBe(
      '/?tour=stride&steps=kernel,stride&hide=header'
    );
  });

  it('or to the very place', () => {
    const address = lesson(place, { ...plan, isOwn: true });
    expect(address).toBe(
      '/look/r/t3/conv1/2?mode=step&tour=stride&steps=kernel,stride&hide=header'
    );
    expect(lesson(place, { tour: undefined, steps: [], hide: [], isOwn: true })).toBe(href(place));
  });

  it('says which of its cards do not exist, and leaves them out', () => {
    expect(unknown(idsOf('kernel, strike  relu'))).toEqual(['strike']);
    expect(lesson(place, { ...plan, steps: idsOf('kernel, strike'), isOwn: false })).toContain(
      'steps=kernel&'
    );
  });
});

describe('words with a card', () => {
  const texts = [
    '5 × 5 kernel over 3 maps of normalise, stride 2, padding 2.',
    'The gradient of the loss; another gradient.',
    'Softmax of the logits',
    'nothing here',
    ''
  ];

  it.each(texts)('are found in %j, and the text stays what it was', (text) => {
    expect(
      marked(text)
        .map((piece) => piece.text)
        .join('')
    ).toBe(text);
  });

  it('open theirs, each once', () => {
    expect(marked(texts[0]!).flatMap(({ card }) => card ?? [])).toEqual([
      'kernel',
      'stride',
      'padding'
    ]);
    expect(marked(texts[1]!).flatMap(({ card }) => card ?? [])).toEqual(['gradient', 'loss']);
    expect(marked(texts[2]!).flatMap(({ card }) => card ?? [])).toEqual(['softmax', 'dense']);
  });

  it('are whole words', () => {
    expect(marked('a blossom, strident, paddings').flatMap(({ card }) => card ?? [])).toEqual([]);
    expect(marked('activation maps').flatMap(({ card }) => card ?? [])).toEqual(['activation-map']);
  });
});
