import { expect, it } from 'vitest';
import { isCard } from '../../tour/cards';
import { cardOf } from './cards';
import { functionNames } from './change';

it('a kind of layer opens the card that explains it, and a box none', () => {
  expect(cardOf('conv')).toBe('kernel');
  expect(cardOf('norm')).toBe('normalising');
  expect(cardOf('adaptive_max_pool')).toBe('pooling');
  expect(functionNames.map(cardOf)).toEqual(functionNames.map(() => 'relu'));
  expect(cardOf('unknown')).toBeNull();
  for (const kind of ['normalise', 'flatten', 'dense', 'softmax', 'global_avg_pool'])
    expect(isCard(cardOf(kind) ?? undefined)).toBe(true);
});
