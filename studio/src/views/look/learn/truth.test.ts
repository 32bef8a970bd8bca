import { expect, test } from 'vitest';
import type { TraceMessage } from '../../../api/types';
import { joined, named, toggled, truthOf } from './truth';

const classes = ['bird', 'cat', 'dog'];

function trace(of: {
  several?: boolean;
  probabilities?: number[];
  label?: string;
  labels?: string[] | null;
}): TraceMessage {
  const { several = false, probabilities = [0.1, 0.2, 0.7], label, labels = null } = of;
  const photo = { label: label ?? null, labels };
  return { classes, probabilities, is_several: several, photo } as unknown as TraceMessage;
}

test('of one class: the one that is asked for, else the photo’s own, else the likeliest', () => {
  expect(truthOf(trace({ label: 'cat' }), 'bird')).toEqual({ text: 'bird', isAssumed: false });
  expect(truthOf(trace({ label: 'cat' }), 'boat')).toEqual({ text: 'cat', isAssumed: false });
  expect(truthOf(trace({}), undefined)).toEqual({ text: 'dog', isAssumed: true });
});

test('of several: those that are asked for, else the photo’s own, else those that are said', () => {
  const own = trace({ several: true, label: 'cat, dog', labels: ['dog', 'cat'] });
  expect(truthOf(own, undefined)).toEqual({ text: 'cat|dog', isAssumed: false });
  expect(truthOf(own, 'bird')).toEqual({ text: 'bird', isAssumed: false });
  expect(truthOf(own, '|')).toEqual({ text: '|', isAssumed: false });
  expect(truthOf(own, 'boat|cat')).toEqual({ text: 'cat|dog', isAssumed: false });
  const strange = trace({ several: true, probabilities: [0.5, 0.49, 0.9] });
  expect(truthOf(strange, undefined)).toEqual({ text: 'bird|dog', isAssumed: true });
});

test('a photo without any label has a truth, too', () => {
  const none = trace({ several: true, label: 'no label', labels: [] });
  expect(truthOf(none, undefined)).toEqual({ text: '|', isAssumed: false });
  expect(named('|')).toEqual([]);
  expect(joined([])).toBe('|');
});

test('a label is taken in and left out in the order of the classes', () => {
  expect(toggled('dog', 'bird', classes)).toBe('bird|dog');
  expect(toggled('bird|dog', 'dog', classes)).toBe('bird');
  expect(toggled('bird', 'bird', classes)).toBe('|');
  expect(toggled('|', 'cat', classes)).toBe('cat');
});
