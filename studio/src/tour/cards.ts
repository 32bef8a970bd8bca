/**
 * Each card for one network: what it says, what it points at, where it begins, and what has to happen
 * for it to be done. Pure: whether something happened is read from the address, which says where the
 * reader is, and never from a button of the card.
 */
import { isMaxPool } from '../network/kinds';
import {
  below,
  belowLast,
  first,
  firstConvolution,
  firstFunction,
  firstPadded,
  firstPooling,
  isConvolution,
  isMap,
  last,
  likeliest,
  mapOf,
  numbers,
  pooling,
  stepsOf,
  unitOf,
  type Facts,
  type LayerFact
} from './facts';
import { at } from './targets';
import { click, clickUnit, isAt, isSame, look, onMap, sandbox, told, type Task } from './tasks';
import { cards, tasks, without } from './words';
import { yours } from './yours';

export type CardId = keyof typeof cards;

export const ids = Object.keys(cards) as CardId[];
export const isCard = (id: string | undefined): id is CardId => id !== undefined && id in cards;

export interface Card {
  id: CardId;
  title: string;
  text: string;
  /** the same with the numbers of the reader's network; or why it has none */
  yours: string;
  /** null: there is nothing to do in this network */
  task: Task | null;
}

type Part = Pick<Card, 'yours' | 'task'>;

/** Of a card without a network: its title and its text. */
export const plain = (id: CardId): Card => ({ id, ...cards[id], yours: '', task: null });

/** The card for this network. */
export const cardOf = (id: CardId, facts: Facts): Card => ({
  id,
  ...cards[id],
  ...parts[id](facts)
});

const none = (yours: string): Part => ({ yours, task: null });

const backwards = { mode: 'backwards' };

const isNorm = ({ kind }: LayerFact): boolean => kind === 'norm';

const parts: Record<CardId, (facts: Facts) => Part> = {
  pixels: (facts) => ({
    yours: yours.pixels(facts),
    task: { ...sandbox(facts, 'at', tasks.pixels, at.crop), then: at.input }
  }),

  channels: (facts) => ({
    yours: yours.channels(facts, firstConvolution(facts)),
    task: { ...sandbox(facts, 'channel', tasks.channels, at.colour), then: at.input }
  }),

  normalising(facts) {
    const layer = first(facts, ({ kind }) => kind === 'normalise');
    if (!layer) return none(without.normalising);
    const words = told(tasks.normalising.ask(layer.name), tasks.normalising.see);
    return {
      yours: yours.normalising(facts, layer.range, facts.layers.filter(isNorm).length),
      task: click(facts, layer.name, words, { then: at.function })
    };
  },

  kernel(facts) {
    const conv = firstConvolution(facts);
    if (!conv)
      return {
        yours: without.sandbox,
        task: sandbox(facts, 'values', tasks.sandboxKernel, at.kernel)
      };
    const behind = facts.layers.find((l) => isNorm(l) && l.reads === conv.layer.name);
    return {
      yours: yours.kernel(conv, behind?.name ?? null),
      task: { ...clickUnit(facts, conv.layer, 'kernel'), then: at.factors }
    };
  },

  stride(facts) {
    const conv = firstConvolution(facts);
    if (!conv)
      return {
        yours: without.sandbox,
        task: sandbox(facts, 'stride', tasks.sandboxStride, at.stride)
      };
    const { name } = conv.layer;
    const words = told(tasks.stride.ask, tasks.stride.see(conv.stride));
    return {
      yours: yours.stride(conv),
      task: click(facts, name, words, {
        start: onMap(facts, conv.layer),
        at: at.map,
        then: at.pictures,
        reached: (now, since) =>
          isAt(now, name) && now.cell !== undefined && !isSame(now.cell, since.cell)
      })
    };
  },

  padding(facts) {
    const conv = firstPadded(facts);
    if (!conv) {
      const any = firstConvolution(facts);
      return {
        yours: any ? yours.unpadded(any) : without.sandbox,
        task: sandbox(facts, 'padding', tasks.sandboxPadding, at.padding)
      };
    }
    const [height, width] = mapOf(conv.layer);
    return {
      yours: yours.padding(conv),
      task: click(facts, conv.layer.name, tasks.padding, {
        start: onMap(facts, conv.layer),
        at: at.map,
        then: at.factors,
        reached(now) {
          if (!isAt(now, conv.layer.name) || !now.cell) return false;
          const { row, column } = now.cell;
          return row === 0 || column === 0 || row >= height - 1 || column >= width - 1;
        }
      })
    };
  },

  'activation-map'(facts) {
    const conv = firstConvolution(facts);
    if (!conv)
      return { yours: without.sandbox, task: sandbox(facts, 'cell', tasks.sandboxMap, at.output) };
    const { layer } = conv;
    const unit = unitOf(layer);
    const isOnly = (layer.shape[0] ?? 1) < 2;
    const words = told(tasks['activation-map'].ask(layer.name), tasks['activation-map'].see);
    return {
      yours: yours['activation-map'](conv) + (isOnly ? ` ${without['activation-map']}` : ''),
      task: isOnly
        ? null
        : click(facts, layer.name, words, {
            start: look(facts, { layer: layer.name, unit }),
            at: at.layer(layer.name),
            then: at.unitPanel,
            reached: (now) => isAt(now, layer.name) && now.unit !== unit
          })
    };
  },

  relu(facts) {
    const layer = firstFunction(facts);
    if (!layer) return none(without.relu);
    return {
      yours: yours.relu(layer.name, layer.kind, numbers(layer)),
      task: { ...clickUnit(facts, layer, 'relu'), then: at.function }
    };
  },

  pooling(facts) {
    const layer = firstPooling(facts);
    if (!layer) return none(without.pooling);
    const isMax = isMaxPool(layer.kind);
    const unit = unitOf(layer);
    const words = told(tasks.pooling.ask(layer.name, unit), tasks.pooling.see(isMax));
    const way = isMax ? 'the largest number' : 'the mean';
    return {
      yours: yours.pooling(layer.name, way, pooling(facts, layer), layer.shape),
      task: click(facts, layer.name, words, { at: at.unit(layer.name, unit), then: at.window })
    };
  },

  'receptive-field'(facts) {
    const near = first(facts, isConvolution);
    const far = last(facts, isConvolution);
    if (!near || !far) return none(without['receptive-field']);
    return {
      yours:
        near.sees === null || far.sees === null
          ? ''
          : yours['receptive-field'](near.name, near.sees, far.name, far.sees, facts.image),
      task: { ...clickUnit(facts, far, 'receptive-field'), then: at.sees }
    };
  },

  flatten(facts) {
    const layer = last(facts, ({ kind }) => kind === 'flatten');
    const before = layer && below(facts, layer);
    if (!layer || !before) return none(without.flatten);
    const words = told(tasks.flatten.ask(layer.name), tasks.flatten.see);
    return {
      yours: yours.flatten(layer.name, before.shape, before.name),
      task: click(facts, layer.name, words, { at: at.layer(layer.name), then: at.source })
    };
  },

  dense(facts) {
    const layer = last(facts, ({ kind }) => kind === 'dense');
    if (!layer) return none(without.dense);
    const units = layer.shape.at(-1) ?? 0;
    const inputs = below(facts, layer)?.shape.at(-1) ?? 0;
    const unit = units === facts.classes.length ? likeliest(facts) : 0;
    const name = units === facts.classes.length ? (facts.classes[unit] ?? '') : `unit ${unit}`;
    const words = told(tasks.dense.ask(layer.name, name), tasks.dense.see);
    return {
      yours: yours.dense(layer.name, inputs, units, layer.parameters - inputs * units),
      task: click(facts, layer.name, words, { at: at.unit(layer.name, unit), then: at.terms })
    };
  },

  softmax(facts) {
    const layer = last(facts, ({ kind }) => kind === 'softmax');
    if (!layer) return none(without.softmax);
    const best = likeliest(facts);
    const words = told(tasks.softmax.ask(facts.classes[best] ?? ''), tasks.softmax.see);
    return {
      yours: yours.softmax(facts, best),
      task: click(facts, layer.name, words, { at: at.unit(layer.name, best), then: at.softmax })
    };
  },

  loss: (facts) => ({
    yours: yours.loss(facts),
    task: click(facts, '', tasks.loss, {
      at: at.modes,
      then: at.loss,
      needs: ['look', 'modes'],
      reached: (now) => now.view === 'look' && now.query['mode'] === 'backwards'
    })
  }),

  gradient(facts) {
    const layer = last(facts, ({ kind }) => kind === 'softmax');
    if (!layer) return none(without.softmax);
    const truth = facts.classes.indexOf(facts.label ?? '');
    const unit = truth >= 0 ? truth : likeliest(facts);
    const words = told(tasks.gradient.ask(facts.classes[unit] ?? ''), tasks.gradient.see);
    return {
      yours: yours.gradient(facts),
      task: click(facts, layer.name, words, {
        start: look(facts, { query: backwards }),
        at: at.unit(layer.name, unit),
        then: at.backSum,
        reached: (now) => isAt(now, layer.name, 'backwards') || isAt(now, layer.reads, 'backwards')
      })
    };
  },

  backpropagation(facts) {
    const found = belowConvolution(facts) ?? belowDense(facts);
    if (!found) return none(without.backpropagation);
    const { layer, says } = found;
    const unit = isMap(layer) ? unitOf(layer) : 0;
    const { ask, see } = tasks.backpropagation;
    return {
      yours: says,
      task: click(facts, layer.name, told(ask(layer.name, unit), see), {
        start: look(facts, { query: backwards }),
        at: at.unit(layer.name, unit),
        then: at.back,
        reached: (now) => isAt(now, layer.name, 'backwards')
      })
    };
  },

  step: (facts) => ({
    yours: yours.step(facts),
    task: click(facts, '', tasks.step, {
      start: look(facts, { query: { mode: 'step' } }),
      at: at.rate,
      then: at.after,
      reached: (now, since) =>
        now.view === 'look' &&
        now.query['mode'] === 'step' &&
        now.query['rate'] !== undefined &&
        now.query['rate'] !== since.query['rate']
    })
  }),

  epoch(facts) {
    const says = yours.epoch(facts, stepsOf(facts));
    if (facts.epochsDone < 1) return none(`${says} ${without.epoch}`);
    return {
      yours: says,
      task: {
        ...tasks.epoch,
        start: { view: 'train' },
        at: at.curve,
        then: at.score,
        needs: ['train'],
        reached: ({ view, query }) => view === 'train' && query['epoch'] !== undefined
      }
    };
  },

  generalisation(facts) {
    if (facts.test === 0) return none(without.generalisation);
    const isJudged = facts.report !== null;
    return {
      yours: yours.generalisation(facts),
      task: {
        ...(isJudged ? tasks.generalisation : tasks.aside),
        start: { view: isJudged ? 'report' : 'photos' },
        at: isJudged ? at.matrix : at.splits,
        then: isJudged ? at.cellPhotos : at.photos,
        needs: [isJudged ? 'report' : 'photos'],
        reached: ({ view, query }) =>
          isJudged
            ? view === 'report' && query['label'] !== undefined && query['predicted'] !== undefined
            : view === 'photos' && query['split'] === 'test'
      }
    };
  },

  overfitting: (facts) => ({
    yours: yours.overfitting(facts),
    task: {
      ...tasks.overfitting,
      start: { view: 'train' },
      at: at.measure,
      then: at.curve,
      needs: ['train'],
      reached: ({ view, query }) => view === 'train' && query['curve'] === 'loss'
    }
  })
};

function belowConvolution(facts: Facts): { layer: LayerFact; says: string } | null {
  const found = belowLast(facts);
  if (!found) return null;
  const { layer, reader } = found;
  return { layer, says: yours.backpropagation(layer.name, reader) };
}

/** Without a convolution: what the last dense layer reads. */
function belowDense(facts: Facts): { layer: LayerFact; says: string } | null {
  const reader = last(facts, ({ kind }) => kind === 'dense');
  const layer = reader && below(facts, reader);
  if (!layer) return null;
  return { layer, says: yours.backDense(layer.name, reader.name, reader.shape.at(-1) ?? 0) };
}
