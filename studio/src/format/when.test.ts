import { expect, it } from 'vitest';
import { ago, moment } from './when';

const now = new Date('2025-11-22T12:00:00Z');

it.each([
  ['2025-11-22T11:59:40Z', 'just now'],
  ['2025-11-22T12:00:40Z', 'just now'],
  ['2025-11-22T11:55:00Z', '5 min ago'],
  ['2025-11-22T08:30:00Z', '3 h ago'],
  ['2025-11-21T10:00:00Z', 'yesterday'],
  ['2025-03-05T12:00:00Z', '5 Mar 2025'],
  ['no date', 'no date']
])('%s was %s', (iso, words) => {
  expect(ago(iso, now)).toBe(words);
});

it('gives the day and the time', () => {
  const local = new Date(2025, 10, 3, 9, 5);
  expect(moment(local.toISOString())).toBe('3 Nov 2025, 09:05');
});
