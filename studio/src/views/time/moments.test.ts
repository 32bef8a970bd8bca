import { expect, test } from 'vitest';
import type { LayerSize, MomentMessage } from '../../api/types';
import {
  accuracyAt,
  accuracyWords,
  choices,
  epochTicks,
  hue,
  named,
  nearestTo,
  rateWords
} from './moments';

const moment = (step: number, epoch: number, test_accuracy: number | null = null) => ({
  step,
  epoch,
  test_accuracy
});
const moments: MomentMessage[] = [
  moment(0, 0, 0.2),
  moment(1, 1),
  moment(2, 1),
  moment(8, 1, 0.5),
  moment(12, 2),
  moment(16, 2, 0.7)
];

test('a step that was not kept is shown at the nearest that was', () => {
  expect([0, 1, 5, 6, 10, 99].map((step) => nearestTo(moments, step))).toEqual([0, 1, 2, 3, 3, 5]);
  expect(nearestTo([], 4)).toBe(-1);
});

test('the accuracy of a moment is the newest that was measured, and says when', () => {
  expect(accuracyAt(moments, 4)).toEqual({ accuracy: 0.5, step: 8 });
  expect(accuracyWords(moments, 4)).toBe('test accuracy 50.0\u00a0% (at step 8)');
  expect(accuracyWords(moments, 3)).toBe('test accuracy 50.0\u00a0%');
  expect(accuracyWords([moment(0, 0)], 0)).toBe('test accuracy not measured yet');
});

test('between two measurements the followed photos are counted', () => {
  const followed = { steps: [0, 12], accuracy: [0.1, 0.625], photos: { length: 16 } };
  expect(rateWords(moments, 4, followed)).toBe('62.5\u00a0% of 16 test photos right');
  expect(rateWords(moments, 0, followed)).toBe('test accuracy 20.0\u00a0%');
  expect(rateWords(moments, 1, followed)).toBe('test accuracy 20.0\u00a0% (at step 0)');
  expect(rateWords(moments, 1, null)).toBe('test accuracy 20.0\u00a0% (at step 0)');
});

test('a moment says its step and its epoch', () => {
  expect(named(moments[0]!)).toBe('step 0, before anything was learned');
  expect(named(moment(1240, 3))).toBe('step 1,240, epoch 3');
});

test('ticks stand at the ends of epochs, and never too many', () => {
  expect(epochTicks(moments, 10)).toEqual([
    { index: 3, text: '1' },
    { index: 5, text: '2' }
  ]);
  const long = Array.from({ length: 61 }, (_, i) => moment(i, i));
  expect(epochTicks(long, 8).length).toBeLessThanOrEqual(8);
  expect(epochTicks(long, 8).map(({ text }) => text)).toContain('56');
});

test('a convolution is shown with the function behind it', () => {
  const layers = (
    [
      ['conv1', 'conv'],
      ['norm1', 'norm'],
      ['relu1', 'relu'],
      ['conv2', 'conv'],
      ['conv3', 'conv'],
      ['gelu3', 'gelu'],
      ['dense1', 'dense']
    ] as const
  ).map(([name, kind]) => ({ name, kind, shape: [4, 8, 8] }) as unknown as LayerSize);
  expect(choices(layers, ['conv1', 'conv2', 'conv3', 'dense1'])).toEqual([
    { layer: 'conv1', maps: 'relu1', units: 4 },
    { layer: 'conv2', maps: 'conv2', units: 4 },
    { layer: 'conv3', maps: 'gelu3', units: 4 }
  ]);
  expect(choices(layers, ['conv2'])).toHaveLength(1);
});

test('every class has a colour of its own', () => {
  const colours = Array.from({ length: 12 }, (_, i) => hue(i, 12));
  expect(new Set(colours).size).toBe(12);
});
