import { describe, expect, it } from 'vitest';
import { blockOf, blocksOf, depths, fold, frontOf, jumps } from './fold';
import { layout } from './layout';
import { deepLayers, demoLayers, layerOf } from './sample';

const layers = deepLayers({ stages: 3, blocks: 4 });
const closed = () => false;
const room = { width: 1392, smallest: 26, largest: 32 };

describe('blocks', () => {
  it('are runs of layers whose names begin alike', () => {
    const blocks = blocksOf(layers, 2);
    layers.forEach(({ name }, i) => {
      const stem = name.split('.').slice(0, 2).join('.');
      expect(blocks[i]).toBe(name.startsWith('stage') ? stem : null);
    });
    expect(new Set(blocksOf(layers, 1))).toEqual(new Set([null, 'stage0', 'stage1', 'stage2']));
    expect(depths(layers)).toEqual([2, 1]);
  });

  it('do not count what all names have in front, nor runs of two', () => {
    const wrapped = layers.map((layer) => ({ ...layer, name: `network.${layer.name}` }));
    expect(blocksOf(wrapped, 2)).toEqual(blocksOf(layers, 2));
    const pairs = ['a.conv', 'a.relu', 'b.conv', 'b.relu'].map((n) =>
      layerOf(n, 'conv', [4, 4, 4])
    );
    expect(blocksOf(pairs, 1)).toEqual([null, null, null, null]);
    expect(depths(demoLayers())).toEqual([]);
  });

  it('of a module that was wrapped have a word in front that need not be said', () => {
    const named = (...names: string[]) => names.map((name) => ({ name }));
    expect(frontOf(named('normalise', 'network.conv1', 'network.fc', 'softmax'))).toBe('network.');
    expect(frontOf(named('network.conv1', 'features.0'))).toBe('');
    expect(frontOf(named('features.0', 'features.1'))).toBe('');
    expect(frontOf(demoLayers())).toBe('');
  });

  it('that come back later are others', () => {
    const names = ['a.1', 'a.2', 'a.3', 'b.1', 'a.4', 'a.5', 'a.6'];
    const found = blocksOf(
      names.map((name) => layerOf(name, 'conv', [4, 4, 4])),
      1
    );
    expect(found).toEqual(['a', 'a', 'a', null, 'a:2', 'a:2', 'a:2']);
  });

  it('are drawn by their last layer when they are folded, and by all when they are open', () => {
    const items = fold(layers, 2, closed);
    const folded = items.filter(({ count }) => count > 1);
    expect(folded).toHaveLength(12);
    for (const { layer, count, block } of folded) {
      expect(count).toBe(7);
      expect(layer.name).toBe(`${block}.relu2`);
    }
    expect(items.reduce((sum, { count }) => sum + count, 0)).toBe(layers.length);
    const one = fold(layers, 2, (block) => block === 'stage1.2');
    expect(one).toHaveLength(items.length + 6);
    expect(fold(layers, 2, () => true).map(({ layer }) => layer)).toEqual(layers);
    expect(blockOf(layers, 2).get('stage1.2.conv2')).toBe('stage1.2');
  });
});

describe('paths that pass over layers', () => {
  it('lead from what a block reads to its sum', () => {
    const items = fold(layers, 2, (block) => block === 'stage1.2');
    const names = items.map(({ layer }) => layer.name);
    const found = jumps(layers, items).map(({ from, to }) => [names[from], names[to]]);
    expect(found).toEqual([['stage1.1.relu2', 'stage1.2.add']]);
  });

  it('are as many as there are sums when nothing is folded, and none in a plain network', () => {
    const all = fold(layers, 2, () => true);
    expect(jumps(layers, all)).toHaveLength(12);
    expect(jumps(layers, fold(layers, 2, closed))).toEqual([]);
    const demo = demoLayers();
    expect(jumps(demo, fold(demo, 0, closed))).toEqual([]);
  });
});

describe('a deep network', () => {
  it('is folded until it fits, as finely as it can be', () => {
    const drawn = layout(layers, room);
    expect(drawn.width).toBeLessThanOrEqual(room.width);
    expect(drawn.columns.filter(({ count }) => count > 1).map(({ block }) => block)).toHaveLength(
      12
    );
    const narrow = layout(layers, { ...room, width: 600 });
    expect(new Set(narrow.columns.map(({ block }) => block))).toEqual(
      new Set([null, 'stage0', 'stage1', 'stage2'])
    );
    expect(drawn.blockOf.size).toBe(12 * 7);
  });

  it('draws sixteen units of a wide layer; a small network is neither folded nor cut', () => {
    const wide = layers.map((layer) =>
      layer.shape.length === 3 ? { ...layer, shape: [256, 8, 8] } : layer
    );
    const drawn = layout(wide, room);
    for (const column of drawn.columns.filter(({ form }) => form === 'maps'))
      expect(column.drawn).toBe(16);
    const demo = layout(demoLayers(), { ...room, width: 390 });
    expect(demo.columns.every(({ count, block }) => count === 1 && block === null)).toBe(true);
    expect(demo.columns.every(({ shown }) => shown === null)).toBe(true);
  });

  it('stays quick with a hundred layers of a thousand units', () => {
    const many = deepLayers({ stages: 4, blocks: 5, units: 1000 });
    expect(many.length).toBeGreaterThan(100);
    const drawn = layout(many, room, { open: () => true });
    expect(drawn.columns).toHaveLength(many.length);
    expect(
      drawn.columns.reduce((sum, { form, drawn }) => sum + (form === 'maps' ? drawn : 0), 0)
    ).toBeLessThan(16 * many.length);
  });

  it('draws only the units that are wanted, at least one of a layer', () => {
    const dead = layerOf('relu1', 'relu', [16, 4, 4], ['conv1']);
    dead.active_units = dead.active_units.map((_, unit) => unit % 4 === 0);
    const choose = (layer: typeof dead) =>
      layer.active_units.flatMap((lives, unit) => (lives ? [unit] : []));
    const [conv1, relu1] = layout([layerOf('conv1', 'conv', [16, 4, 4]), dead], room, {
      choose,
      isPicky: true
    }).columns;
    expect(relu1!.shown).toEqual([0, 4, 8, 12]);
    expect(relu1!.height).toBeLessThan(conv1!.height);
    expect(conv1!.shown).toBeNull();
  });
});
