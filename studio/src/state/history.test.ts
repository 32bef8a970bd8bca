import { describe, expect, it } from 'vitest';
import type { EpochEvent, LogEvent, StartedEvent, StepEvent } from '../api/types';
import {
  currentEpoch,
  kernelExtent,
  newest,
  nothing,
  phase,
  progress,
  read,
  secondsLeft,
  stepsPerEpoch,
  trail,
  winner
} from './history';

const started: StartedEvent = {
  kind: 'started',
  epochs: 4,
  steps: 40,
  images: 640,
  test_images: 120,
  classes: ['cat', 'frog'],
  watched: []
};

const step = (n: number, loss = 1): StepEvent => ({
  kind: 'step',
  step: n,
  epoch: Math.ceil(n / 10),
  loss,
  lr: 0.1,
  elapsed_s: n / 2
});

const epoch = (n: number, kernels: number[][][][] = []): EpochEvent => ({
  kind: 'epoch',
  epoch: n,
  step: n * 10,
  train_loss: 1,
  train_accuracy: 0.5,
  test_loss: 1,
  test_accuracy: 0.5,
  images_per_second: 100,
  share_of_limit: null,
  elapsed_s: n * 5,
  time_s: {},
  kernels,
  watched: [],
  layers: []
});

const end = (state: 'finished' | 'stopped' | 'failed'): LogEvent => ({
  kind: 'end',
  state,
  epoch: 4,
  train_seconds: 20,
  test_accuracy: 0.5,
  weights_sha256: null,
  error: null
});

describe('a log read event by event', () => {
  it('is the same in one piece and in many', () => {
    const events = [started, epoch(0), ...[1, 2, 3, 4, 5].map((n) => step(n)), end('stopped')];
    const whole = read(nothing, events);
    const pieces = events.reduce((history, event) => read(history, [event]), nothing);
    expect(pieces).toEqual(whole);
  });

  it('leaves the history it was given as it was', () => {
    const before = read(nothing, [started, step(1)]);
    read(before, [step(2)]);
    expect(before.steps).toHaveLength(1);
  });

  it('keeps the later line of a step that a resumed run wrote again', () => {
    const first = [started, epoch(0), ...[1, 2, 3, 4].map((n) => step(n, 9))];
    const history = read(nothing, [...first, started, step(3, 5), step(4, 5), step(5, 5)]);
    expect(history.steps.map(({ step, loss }) => [step, loss])).toEqual([
      [1, 9],
      [2, 9],
      [3, 5],
      [4, 5],
      [5, 5]
    ]);
  });

  it('has no end once a stopped run goes on', () => {
    const stopped = read(nothing, [started, step(1), end('stopped')]);
    expect(phase(stopped)).toBe('stopped');
    expect(phase(read(stopped, [step(2)]))).toBe('learning');
  });

  it('keeps its end when a note follows', () => {
    const history = read(nothing, [started, end('finished'), { kind: 'note', text: 'Kept.' }]);
    expect(phase(history)).toBe('finished');
    expect(history.notes).toEqual(['Kept.']);
  });
});

describe('what the log tells', () => {
  it('says nothing of pace, epoch and phase before the first line', () => {
    expect(phase(nothing)).toBe('reading');
    expect(progress(nothing)).toBe(0);
    expect(secondsLeft(nothing)).toBeNull();
    expect(stepsPerEpoch(nothing)).toBeNull();
    expect(newest(nothing)).toBeNull();
    expect(currentEpoch(nothing)).toBe(0);
  });

  it('estimates the time left from the steps done', () => {
    const history = read(nothing, [started, ...Array.from({ length: 10 }, (_, i) => step(i + 1))]);
    expect(secondsLeft(history)).toBeCloseTo(15); // 0.5 s a step, 30 steps to go
    expect(progress(history)).toBeCloseTo(0.25);
    expect(stepsPerEpoch(history)).toBe(10);
  });

  it('does not estimate from too few steps, nor after the end', () => {
    expect(secondsLeft(read(nothing, [started, step(1)]))).toBeNull();
    expect(secondsLeft(read(nothing, [started, step(9), end('stopped')]))).toBeNull();
  });

  it('counts the epoch that has begun', () => {
    expect(currentEpoch(read(nothing, [started, epoch(0), step(1)]))).toBe(1);
    expect(currentEpoch(read(nothing, [started, epoch(1)]))).toBe(1);
    expect(currentEpoch(read(nothing, [started, epoch(1), step(11)]))).toBe(2);
  });

  it('is complete when it is finished, and where it stood when it was stopped', () => {
    expect(progress(read(nothing, [started, step(20), end('finished')]))).toBe(1);
    expect(progress(read(nothing, [started, step(20), end('stopped')]))).toBe(0.5);
  });

  it('follows one photo through the epochs', () => {
    const said = (n: number, p: number): EpochEvent => ({
      ...epoch(n),
      watched: [{ photo: 't7', label: 'cat', probabilities: [p, 1 - p] }]
    });
    expect(trail([said(0, 0.25), epoch(1), said(2, 0.75)], 't7', 1)).toEqual([0.75, null, 0.25]);
  });

  it('finds the largest probability and the largest weight', () => {
    expect(winner([0.2, 0.5, 0.3])).toBe(1);
    expect(kernelExtent([epoch(0, [[[[0.1, -0.7]]]]), epoch(1, [[[[0.3, 0.2]]]])])).toBe(0.7);
    expect(kernelExtent([])).toBe(0);
  });
});
