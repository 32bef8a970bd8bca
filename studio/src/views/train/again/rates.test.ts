import { describe, expect, it } from 'vitest';
import type { RangeTestEnded, TrialEvent } from '../../../api/types';
import {
  alongRates,
  axisOf,
  marksOf,
  powers,
  progressText,
  rateText,
  rounded,
  sentence,
  trialText
} from './rates';

const frame = { left: 50, right: 650, top: 0, bottom: 100 };
const range = [1e-5, 10] as const;
const end = (
  steepest: number | null,
  diverged: number | null,
  suggested: number | null
): RangeTestEnded => ({
  kind: 'end',
  state: 'finished',
  steepest,
  diverged,
  suggested,
  error: null
});
const trial = (step: number, rate: number, loss: number | null): TrialEvent => ({
  kind: 'trial',
  step,
  rate,
  loss,
  smoothed: loss
});

describe('the axis of the rates', () => {
  it('gives every power of ten the same room, from edge to edge', () => {
    const places = powers(range).map((rate) => alongRates(rate, range, frame));
    expect(places).toHaveLength(7);
    places.forEach((place, i) => expect(place).toBeCloseTo(50 + 100 * i, 9));
  });

  it('puts rates that grow by one factor one distance apart', () => {
    const rates = Array.from({ length: 100 }, (_, i) => 1e-5 * 1e6 ** (i / 99));
    const places = rates.map((rate) => alongRates(rate, range, frame));
    places.slice(1).forEach((place, i) => expect(place - places[i]!).toBeCloseTo(600 / 99, 9));
  });

  it('names no power beyond its edges', () => {
    expect(powers([2e-3, 0.5])).toEqual([0.01, 0.1]);
  });
});

describe('the axis of the loss', () => {
  it('is there before the first trial and stays', () => {
    const before = axisOf(10, []);
    expect(axisOf(10, [trial(1, 1e-5, Math.log(10)), trial(2, 2e-5, 99)])).toEqual(before);
    expect(before.high).toBeGreaterThan(1.2 * Math.log(10));
  });

  it('has room for a network that begins badly', () => {
    const axis = axisOf(2, [trial(1, 1e-5, 6)]);
    expect(axis.high).toBeGreaterThanOrEqual(7.2);
    expect(axis.ticks.length).toBeLessThanOrEqual(7);
  });
});

describe('what is marked', () => {
  it('is nothing before the end and nothing of a test that was stopped', () => {
    expect(marksOf(null)).toEqual([]);
    expect(marksOf({ ...end(0.1, 2, 0.1), state: 'stopped' })).toEqual([]);
  });

  it('is what the test found, and nothing that it did not', () => {
    expect(marksOf(end(0.4, 2, 0.2)).map(({ kind, rate }) => [kind, rate])).toEqual([
      ['suggested', 0.2],
      ['steepest', 0.4],
      ['diverged', 2]
    ]);
    expect(marksOf(end(0.1, null, 0.1)).map(({ kind }) => kind)).toEqual(['suggested', 'steepest']);
  });

  it('is told in sentences with the very numbers of the marks', () => {
    for (const said of [end(0.4321, 2.468, 0.2468), end(0.1234, null, 0.1234)]) {
      for (const mark of marksOf(said)) {
        expect(mark.text).toContain(rateText(mark.rate));
        expect(sentence(said)).toContain(rateText(mark.rate));
      }
    }
  });

  it('is nothing where the loss never fell, and says so', () => {
    expect(marksOf(end(null, null, null))).toEqual([]);
    expect(sentence(end(null, null, null))).toContain('never fell');
  });
});

describe('words', () => {
  it('tell a rate with two digits, and the form takes the same number', () => {
    for (const rate of [0.0312, 2.468, 1.04e-5, 0.000312]) {
      expect(Number(rateText(rate).replace('−', '-'))).toBe(rounded(rate));
      expect(Math.abs(rounded(rate) / rate - 1)).toBeLessThan(0.05);
    }
  });

  it('say which trial of how many, and what is done before the first', () => {
    expect(progressText([], null)).toContain('photos');
    expect(progressText([], 100)).toContain('100');
    expect(progressText([trial(7, 0.02, 1)], 100)).toBe(
      'Trial 7 of at most 100, at a rate of 0.02'
    );
  });

  it('say of a loss that is no number that it is none', () => {
    expect(trialText(trial(1, 3, null))).toBe(
      'rate 3: smoothed loss not a number, of its batch not a number'
    );
  });
});
