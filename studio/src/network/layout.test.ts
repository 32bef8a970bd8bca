import { describe, expect, it } from 'vitest';
import type { TracedLayerMessage } from '../api/types';
import { layout, stripUnit, unitBox, slotOf, unitAt, unitsOf } from './layout';
import { demoLayers, layerOf } from './sample';

const room = { width: 1392, smallest: 26, largest: 32 };

describe('the drawn network', () => {
  const drawn = layout(demoLayers(), room);

  it('fits a 1440 px window for the demo, with maps of at least 26 px', () => {
    expect(drawn.width).toBeLessThanOrEqual(1392);
    expect(drawn.tile).toBeGreaterThanOrEqual(26);
  });

  it('goes from left to right without overlaps', () => {
    let end = drawn.channels[0]!.x + drawn.tile;
    for (const column of drawn.columns) {
      expect(column.x).toBeGreaterThan(end);
      end = column.x + column.width;
    }
    expect(end).toBe(drawn.width);
  });

  it('has every unit inside its column, and no two on top of each other', () => {
    for (const column of drawn.columns) {
      const boxes = Array.from({ length: column.drawn }, (_, u) => unitBox(column, u)!);
      boxes.forEach((box, i) => {
        expect(box.x).toBeGreaterThanOrEqual(column.x);
        expect(box.x + box.width).toBeLessThanOrEqual(column.x + column.width + 1e-6);
        expect(box.y + box.height).toBeLessThanOrEqual(drawn.height + 1e-6);
        const before = boxes[i - 1];
        if (before && before.x === box.x)
          expect(box.y).toBeGreaterThanOrEqual(before.y + before.height - 1e-6);
      });
    }
  });

  it('says each shape once', () => {
    const shapes = drawn.columns.filter((c) => c.showsShape).map((c) => c.name);
    expect(shapes).toEqual(['normalise', 'conv1', 'pool1', 'pool2', 'pool3', 'flatten', 'dense1']);
  });

  it('gives the strip one unit a height, first to last', () => {
    const strip = drawn.columns.find((c) => c.form === 'strip')!;
    expect(stripUnit(strip, 0)).toBe(0);
    expect(stripUnit(strip, strip.height)).toBe(strip.units - 1);
    const box = unitBox(strip, 100)!;
    expect(stripUnit(strip, box.y - strip.y + box.height / 2)).toBe(100);
  });
});

describe('other networks', () => {
  it('of very many classes draw the chosen ones, in the order in which they are chosen', () => {
    const layers = [layerOf('dense', 'dense', [1000]), layerOf('softmax', 'softmax', [1000])];
    const surest = (_: TracedLayerMessage, most: number) =>
      Array.from({ length: most }, (_, i) => 999 - 7 * i);
    const [, bars] = layout(layers, room, { choose: surest }).columns;
    expect(bars!.form).toBe('bars');
    expect(bars!.shown).toEqual(surest(layers[1]!, bars!.drawn));
    expect(bars!.drawn).toBe(12);
    expect(unitsOf(bars!)).toEqual(bars!.shown);
    expect(unitBox(bars!, 992)!.y).toBeGreaterThan(unitBox(bars!, 999)!.y);
    expect(unitBox(bars!, 0)).toBeNull();
    const few = layout([layerOf('softmax', 'softmax', [24])], room, { choose: surest }).columns[0];
    expect(few!.shown).toBeNull();
    expect(unitsOf(few!)).toHaveLength(24);
  });

  it('wrap wide layers into sub-columns, and say what is not drawn', () => {
    const layers: TracedLayerMessage[] = [
      layerOf('conv1', 'conv', [64, 8, 8]),
      layerOf('conv2', 'conv', [512, 4, 4])
    ];
    const drawn = layout(layers, room);
    const [first, second] = drawn.columns;
    expect(first!.width).toBe(4 * drawn.tile + 3 * 4);
    expect(second!.drawn).toBe(128);
    expect(unitBox(second!, 128)).toBeNull();
  });

  it('draw the units that are chosen, in the same rows where a layer only changes them', () => {
    const layers: TracedLayerMessage[] = [
      layerOf('conv1', 'conv', [200, 4, 4]),
      layerOf('relu1', 'relu', [200, 4, 4], ['conv1']),
      layerOf('conv2', 'conv', [300, 4, 4], ['relu1'])
    ];
    const last = (layer: TracedLayerMessage, most: number) =>
      Array.from({ length: most }, (_, i) => layer.shape[0]! - most + i);
    const [conv1, relu1, conv2] = layout(layers, room, { choose: last }).columns;
    expect(conv1!.shown).toEqual(last(layers[0]!, 128));
    expect(relu1!.shown).toBe(conv1!.shown);
    expect(unitBox(conv1!, 71)).toBeNull();
    for (const [slot, unit] of conv1!.shown!.entries()) {
      expect(unitAt(conv1!, slot)).toBe(unit);
      expect(slotOf(conv1!, unit)).toBe(slot);
      expect(unitBox(relu1!, unit)!.y).toBe(unitBox(conv1!, unit)!.y);
    }
    expect(unitBox(conv2!, 172)).toMatchObject({ x: conv2!.x, y: conv2!.y });
  });

  it('never draw tiles below the smallest size; the drawing is then wider than its room', () => {
    const drawn = layout(demoLayers(), { ...room, width: 390 });
    expect(drawn.tile).toBe(26);
    expect(drawn.width).toBeGreaterThan(390);
  });
});
