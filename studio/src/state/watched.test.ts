import { describe, expect, it } from 'vitest';
import type { EpochEvent, Photo } from '../api/types';
import { sureness, told } from './watched';

const classes = ['bar', 'disc', 'square'];
const epochs = [
  { watched: [{ photo: 't1', label: 'x', probabilities: [0.2, 0.9, 0.6] }] },
  { watched: [] },
  { watched: [{ photo: 't1', label: 'x', probabilities: [0.1, 0.95, 0.3] }] }
] as unknown as EpochEvent[];
const photo = { id: 't1', label: 'disc', labels: null } as unknown as Photo;

describe('a followed photo', () => {
  it('is named by its most probable class', () => {
    expect(told([0.1, 0.3, 0.6], classes, false)).toEqual({
      predicted: 'square',
      probability: 0.6
    });
    expect(told(undefined, classes, false)).toEqual({ predicted: null, probability: null });
  });

  it('is named by every label of a half and more, as surely as the least sure one', () => {
    expect(told([0.2, 0.9, 0.6], classes, true)).toEqual({
      predicted: 'disc, square',
      probability: 0.6
    });
    expect(told([0.2, 0.1, 0.3], classes, true)).toEqual({
      predicted: 'no label',
      probability: 0.7
    });
  });

  it('has a line of how probable what is true was', () => {
    expect(sureness(epochs, photo, classes)).toEqual([0.9, null, 0.95]);
    const both = { ...photo, labels: ['disc', 'square'] } as Photo;
    expect(sureness(epochs, both, classes)).toEqual([0.6, null, 0.3]);
    const none = { ...photo, labels: [] as string[] } as Photo;
    expect(sureness(epochs, none, classes)[2]).toBeCloseTo(0.05, 9);
  });
});
