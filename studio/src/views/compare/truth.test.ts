import { describe, expect, it } from 'vitest';
import { truthOf, type Sayer } from './truth';

const sayer = (classes: string[], probabilities: number[], label: string | null): Sayer => ({
  classes,
  probabilities,
  label
});

describe('the true class of both', () => {
  const first = sayer(['cat', 'dog', 'ship'], [0.1, 0.2, 0.7], 'dog');
  const second = sayer(['ship', 'dog', 'frog'], [0.6, 0.3, 0.1], 'dog');

  it('is the label, and there is nothing to say of it', () => {
    expect(truthOf(first, second, undefined)).toEqual({
      classes: ['dog', 'ship'],
      truth: 'dog',
      note: ''
    });
  });

  it('is the class that is asked for, where both know it', () => {
    expect(truthOf(first, second, 'ship')).toMatchObject({
      truth: 'ship',
      note: 'its label is dog'
    });
    expect(truthOf(first, second, 'cat').truth).toBe('dog');
  });

  it('is one that is said where nobody named it, and that is told', () => {
    const [one, other] = [first, second].map((side) => ({ ...side, label: null }));
    expect(truthOf(one!, other!, undefined)).toMatchObject({ truth: 'ship' });
    expect(truthOf(one!, other!, undefined).note).toMatch(/nobody named it: ship is taken/);
    expect(truthOf(one!, other!, 'dog').note).toBe('nobody named it');
  });

  it('is never a class that only one knows', () => {
    const told = truthOf({ ...first, label: 'cat' }, { ...second, label: 'cat' }, undefined);
    expect(told.truth).toBe('ship');
    expect(told.note).toBe('its label, cat, is no class of both: ship is taken');
  });

  it('is none where they share no class, which is said', () => {
    const told = truthOf(first, sayer(['cup'], [1], null), 'dog');
    expect(told.truth).toBeNull();
    expect(told.note).toMatch(/no class in common/);
  });

  it('is told with both labels where two data sets name it differently', () => {
    const told = truthOf(first, { ...second, label: 'ship' }, undefined);
    expect(told).toMatchObject({
      truth: 'dog',
      note: 'its label is dog for the first, ship for the second'
    });
  });
});
