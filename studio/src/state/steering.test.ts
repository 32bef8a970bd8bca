import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../api/types';
import { isLive, nothing, phase, read } from './history';

const started: LogEvent = {
  kind: 'started',
  epochs: 4,
  steps: 40,
  images: 640,
  test_images: 120,
  classes: ['cat', 'frog'],
  watched: []
};
const step = (n: number): LogEvent => ({
  kind: 'step',
  step: n,
  epoch: 1,
  loss: 1,
  lr: 0.1,
  elapsed_s: n
});
const paused: LogEvent = { kind: 'paused', step: 5, epoch: 0 };
const steered = (n: number, factor: number): LogEvent => ({
  kind: 'steered',
  step: n,
  rate_factor: factor
});

describe('a run that is steered', () => {
  it('is paused until it went on, and never after its end', () => {
    const held = read(nothing, [started, step(5), paused]);
    expect(phase(held)).toBe('paused');
    expect(held.pause?.step).toBe(5);
    const gone: LogEvent[] = [{ kind: 'went_on', step: 5 }, step(6)];
    for (const event of gone) expect(phase(read(held, [event]))).toBe('learning');
    const end: LogEvent = {
      kind: 'end',
      state: 'stopped',
      epoch: 0,
      train_seconds: 5,
      test_accuracy: null,
      weights_sha256: null,
      error: null
    };
    expect(phase(read(held, [end]))).toBe('stopped');
    expect(read(held, [end]).pause).toBeNull();
  });

  it('has every turn once, also where the log is read again after it was cut back', () => {
    const first = read(nothing, [started, steered(6, 0.5), step(6), steered(8, 2), step(8)]);
    expect(first.turns.map((turn) => turn.step)).toEqual([6, 8]);
    const again = read(first, [started, steered(6, 0.25), step(6)]);
    expect(again.turns.map((turn) => turn.rate_factor)).toEqual([0.25]);
  });
});

it('a paused run is in the hands of a process, a stopped one is not', () => {
  const states = ['waiting', 'training', 'paused', 'stopped', 'finished', 'failed'] as const;
  expect(states.filter(isLive)).toEqual(['waiting', 'training', 'paused']);
});
