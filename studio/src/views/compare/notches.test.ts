import { describe, expect, it } from 'vitest';
import type { MomentMessage } from '../../api/types';
import { epochsOf, notches, notchOf } from './notches';

const moment = (step: number, epoch: number): MomentMessage => ({
  step,
  epoch,
  test_accuracy: null
});
const slow = [moment(0, 0), moment(10, 1), moment(20, 2), moment(40, 4)];
const quick = [moment(0, 0), moment(50, 1), moment(100, 2)];

describe('a slider through two trainings', () => {
  it('counts in epochs, whatever a batch was', () => {
    expect(epochsOf(slow)).toEqual([0, 1, 2, 4]);
    expect(epochsOf(quick)).toEqual([0, 1, 2]);
    expect(epochsOf([moment(0, 0)])).toEqual([0]);
  });

  it('stands wherever either has a moment; the shorter one waits at its end', () => {
    expect(notches(slow, quick)).toEqual([
      { epochs: 0, places: [0, 0] },
      { epochs: 1, places: [1, 1] },
      { epochs: 2, places: [2, 2] },
      { epochs: 4, places: [3, 2] }
    ]);
    expect(notches(slow, [])).toEqual([]);
  });

  it('finds the place of an address', () => {
    const all = notches(slow, quick);
    expect(notchOf(all, [slow, quick], [10, 50])).toBe(1);
    expect(notchOf(all, [slow, quick], [undefined, undefined])).toBe(3);
    expect(notchOf(all, [slow, quick], [19, 100])).toBe(2);
    expect(notchOf(all, [slow, quick], [20, 0])).toBe(2);
  });
});
