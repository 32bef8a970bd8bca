import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Replay } from './replay.svelte';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('shows every epoch once, in order, and then lets go', () => {
  const replay = new Replay(() => 3);
  replay.toggle();
  const seen = [replay.at];
  while (replay.isOn) {
    vi.advanceTimersToNextTimer();
    seen.push(replay.at);
  }
  expect(seen).toEqual([0, 1, 2, null]);
  expect(vi.getTimerCount()).toBe(0);
});

it('stays where it is when paused, and goes on from there', () => {
  const replay = new Replay(() => 5);
  replay.toggle();
  vi.advanceTimersToNextTimer();
  replay.toggle();
  expect(replay.at).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
  replay.toggle();
  vi.advanceTimersToNextTimer();
  expect(replay.at).toBe(2);
  replay.stop();
  expect(replay.at).toBeNull();
});
