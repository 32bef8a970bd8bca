import { expect, it } from 'vitest';
import { functionNames } from '../views/try/change';
import { isCard } from './cards';
import { cardOf } from './kinds';

it('a kind of layer opens the card that explains it, and a box none', () => {
  expect(cardOf('conv')).toBe('kernel');
  expect(cardOf('norm')).toBe('normalising');
  expect(cardOf('adaptive_max_pool')).toBe('pooling');
  expect(functionNames.map(cardOf)).toEqual(functionNames.map(() => 'relu'));
  expect(cardOf('unknown')).toBeNull();
  for (const kind of ['normalise', 'flatten', 'dense', 'softmax', 'global_avg_pool'])
    expect(isCard(cardOf(kind) ?? undefined)).toBe(true);
});
