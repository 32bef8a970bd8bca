import { expect, it } from 'vitest';
import type { TermMessage } from '../../../api/types';
import { evidence } from './evidence';

const term = (channel: number, row: number, column: number, product: number) =>
  ({ channel, row, column, product }) as TermMessage;

it('adds the products of all maps at each place', () => {
  const found = evidence([
    term(0, 0, 0, 1),
    term(1, 0, 0, 2),
    term(0, 0, 1, -4),
    term(1, 1, 0, 0.5)
  ])!;
  expect([...found.cells.values]).toEqual([3, -4, 0.5, 0]);
  expect(found.extent).toBe(4);
});

it('has nothing to show where there are no places', () => {
  expect(evidence([term(0, 0, 0, 1), term(1, 0, 0, 2)])).toBeNull();
});
