import { describe, expect, it } from 'vitest';
import type { Place } from '../state/place';
import { cardOf, ids, type CardId } from './cards';
import type { Facts } from './facts';
import { networks } from './networks.fixture';
import type { Task } from './tasks';
import { begin, follow } from './track';
import { cards, terms, ui } from './words';

const all = Object.entries(networks).flatMap(([name, facts]) =>
  ids.map((id) => ({ name, id, facts }))
);
const start = (task: Task): Place => ({ query: {}, run: 'amber-heron', ...task.start });
const named = (facts: Facts, of: string) =>
  facts.layers.find(({ name, kind }) => name === of || kind === of)!.name;

/** Where the reader is after having done what the card of this kind asks, told by hand. */
function acted(id: CardId, from: Place, facts: Facts): Place {
  const { query, view } = from;
  const put = (more: Record<string, string>): Place => ({ ...from, query: { ...query, ...more } });
  const click = (layer: string, unit = 0): Place => ({ ...from, layer, unit });
  if (view === 'sandbox') {
    if (id === 'pixels') return put({ at: '3,4' });
    if (id === 'channels') return put({ channel: 'red' });
    if (id === 'kernel') return put({ values: 'blur' });
    if (id === 'activation-map') return put({ cell: '1,2' });
    return put({ [id]: '2' });
  }
  const conv = () => facts.layers.filter(({ kind }) => kind === 'conv');
  const by: Partial<Record<CardId, () => Place>> = {
    normalising: () => click(named(facts, 'normalise')),
    kernel: () => click(conv()[0]!.name, 0),
    stride: () => ({ ...from, cell: { row: from.cell!.row, column: from.cell!.column + 1 } }),
    padding: () => ({ ...from, cell: { row: 0, column: from.cell!.column } }),
    'activation-map': () => click(from.layer!, from.unit === 0 ? 1 : 0),
    relu: () => click(facts.layers.find(({ kind }) => /relu|gelu|tanh/.test(kind))!.name),
    pooling: () => click(facts.layers.find(({ kind }) => kind.endsWith('pool'))!.name),
    'receptive-field': () => click(conv().at(-1)!.name),
    flatten: () => click('flatten', 7),
    dense: () => click(facts.layers.findLast(({ kind }) => kind === 'dense')!.name),
    softmax: () => click('softmax'),
    loss: () => put({ mode: 'backwards' }),
    gradient: () => click('softmax', 2),
    step: () => put({ rate: '0.05' }),
    epoch: () => put({ epoch: '1' }),
    generalisation: () =>
      put(view === 'photos' ? { split: 'test' } : { label: 'frog', predicted: 'ship' }),
    overfitting: () => put({ curve: 'loss' }),
    backpropagation: () => {
      const reader = conv().at(-1) ?? facts.layers.findLast(({ kind }) => kind === 'dense')!;
      const below = reader.reads === 'photo' ? facts.layers.at(-3)! : { name: reader.reads };
      return click(below.name);
    }
  };
  return by[id]!();
}

describe('the tour', () => {
  it('has the twenty cards in their order', () => {
    expect(ids).toEqual([
      'pixels',
      'channels',
      'normalising',
      'kernel',
      'stride',
      'padding',
      'activation-map',
      'relu',
      'pooling',
      'receptive-field',
      'flatten',
      'dense',
      'softmax',
      'loss',
      'gradient',
      'backpropagation',
      'step',
      'epoch',
      'generalisation',
      'overfitting'
    ]);
  });

  it('is short', () => {
    for (const { title, text } of Object.values(cards)) {
      expect(title.length).toBeLessThan(30);
      expect(text.split(/\s+/).length).toBeLessThan(62);
    }
  });

  it('has a card for every word that opens one', () => {
    expect(terms.map(([, card]) => card).filter((card) => !(card in cards))).toEqual([]);
    expect(Object.keys(ui.parts)).toContain('header');
  });
});

describe.each(all)('the card $id for the network $name', ({ id, facts }) => {
  const card = cardOf(id, facts);

  it('says something of this network, with no hole in it', () => {
    const said = [card.yours, card.task?.ask ?? '', card.task?.see ?? ''].filter(Boolean).join(' ');
    expect(card.yours).not.toBe('');
    expect(said).not.toMatch(/undefined|NaN|null|Infinity|\[object|\. {2}| ,|\b1 (?!bias)\w+s\b/);
  });

  it('is done only by what it asks for', () => {
    const { task } = card;
    if (!task) return expect(card.yours).toMatch(/no |not |only|read by/i);
    const from = start(task);
    const reached = task.reached.bind(task);
    let track = begin(from, reached);
    expect(track).toMatchObject({ isOpen: true, isDone: false });

    const elsewhere: Place[] = [
      { view: 'runs', query: {} },
      { ...from, query: { ...from.query, scale: 'unit' } },
      { view: 'look', run: 'amber-heron', photo: 't2', query: {} },
      from
    ];
    for (const place of elsewhere) {
      track = follow(track, place, reached);
      expect(track.isDone).toBe(false);
    }
    const to = acted(id, from, facts);
    track = follow(track, to, reached);
    expect(track.isDone).toBe(true);
    expect(follow(track, { view: 'runs', query: {} }, reached).isDone).toBe(true);
  });

  it('counts for nothing what was so before it was opened', () => {
    const { task } = card;
    // what is new is measured from where the reader was: these have no "before"
    if (!task || ['pixels', 'channels', 'stride', 'step'].includes(id)) return;
    if (task.start.view === 'sandbox') return;
    const reached = task.reached.bind(task);
    const there = acted(id, start(task), facts);
    let track = begin(there, reached);
    track = follow(track, { ...there }, reached);
    expect(track.isDone).toBe(false);
    track = follow(track, start(task), reached);
    expect(follow(track, there, reached).isDone).toBe(true);
  });

  it('points at something, before and after', () => {
    if (!card.task) return;
    expect(card.task.at.length).toBeGreaterThan(0);
    expect(card.task.then.length).toBeGreaterThan(0);
    expect(card.task.needs).toContain(card.task.start.view);
  });
});

describe('the numbers', () => {
  const said = (name: string, id: CardId) => cardOf(id, networks[name]!).yours;

  it('of kernels are weights and biases that add up to the layer’s parameters', () => {
    expect(said('lenet', 'kernel')).toContain(
      '6 kernels of 5 × 5 × 3 numbers: 450 weights and 6 biases'
    );
    expect(said('demo', 'kernel')).toContain(
      '16 kernels of 5 × 5 × 3 numbers: 1,200 weights and no biases'
    );
    expect(said('demo', 'kernel')).toContain('norm1');
    expect(said('residual', 'kernel')).toContain('1 × 3 × 3 numbers: 2,304 weights and 256 biases');
    expect(said('bare', 'kernel')).toContain(
      '1 kernel of 8 × 8 × 3 numbers: 192 weights and 1 bias.'
    );
  });

  it('of sizes follow from kernel, stride and padding', () => {
    expect(said('demo', 'stride')).toContain('⌊(32 + 2 · 2 − 5) / 2⌋ + 1 = 16');
    expect(said('lenet', 'stride')).toContain('⌊(32 + 2 · 0 − 5) / 1⌋ + 1 = 28');
    for (const facts of Object.values(networks)) {
      const shown = /⌊\((\d+) \+ 2 · (\d+) − (\d+)\) \/ (\d+)⌋ \+ 1 = (\d+)/.exec(
        cardOf('stride', facts).yours
      );
      if (!shown) continue;
      const [n, p, k, s, out] = shown.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
        number
      ];
      let windows = 0; // counted by sliding
      for (let at = -p; at + k <= n + p; at += s) windows++;
      expect(windows).toBe(out);
    }
  });

  it('of a depthwise layer count its own channel only', () => {
    expect(said('residual', 'backpropagation')).toContain('1 × 3 × 3 = 9 products');
    expect(said('demo', 'backpropagation')).toContain('16 × 3 × 3 = 144 products');
    expect(said('dense', 'backpropagation')).toContain('a sum of 3 products');
  });

  it('of photos, batches and epochs', () => {
    expect(said('demo', 'pixels')).toContain('32 × 32 × 3 = 3,072 numbers');
    expect(said('demo', 'epoch')).toContain(
      '120 training photos in batches of 24 make 5 steps an epoch; 3 epochs are 15 steps'
    );
    expect(said('demo', 'dense')).toContain('1,024 × 3 = 3,072 weights and 3 biases');
    expect(said('bare', 'dense')).toContain('1 × 3 = 3 weights and no biases');
    expect(said('demo', 'flatten')).toContain('what relu2 makes, 16 × 8 × 8, as one row of 1,024');
  });

  it('of a photo are those of its trace', () => {
    expect(said('demo', 'softmax')).toContain('it says ship, 63.4');
    expect(said('demo', 'loss')).toContain('this photo of ship your network’s loss is 0.4557');
    expect(said('demo', 'loss')).toContain(`log 3 = ${Math.log(3).toFixed(2)}`);
    expect(said('young', 'loss')).not.toContain('this photo');
  });

  it('name a living unit where the third is dead', () => {
    expect(cardOf('relu', networks['residual']!).task!.ask).toContain('unit 0 of relu9');
    expect(cardOf('kernel', networks['demo']!).task!.ask).toContain('unit 3 of conv1');
  });
});
