import { describe, expect, it } from 'vitest';
import { across, apart, lossAxis, nearest, path, shareAxis, thin, up, wholeTicks } from './curve';
import type { Frame, Point } from './curve';

const frame: Frame = { left: 50, right: 250, top: 10, bottom: 110 };

describe('the axes', () => {
  it('put shares on a fixed 0..1', () => {
    expect(up(0, shareAxis, frame)).toBe(110);
    expect(up(1, shareAxis, frame)).toBe(10);
    expect(up(0.5, shareAxis, frame)).toBe(60);
  });

  it.each([2, 3, 6, 10, 100, 1000])('leave room above guessing among %i classes', (k) => {
    const axis = lossAxis(k);
    expect(axis.high).toBeGreaterThanOrEqual(1.5 * Math.log(k));
    expect(axis.high).toBeLessThan(3.2 * Math.log(k));
    expect(axis.ticks.length).toBeLessThanOrEqual(7);
    expect(axis.ticks.at(-1)).toBe(axis.high);
  });

  it('place epochs from edge to edge', () => {
    expect(across(0, 9, frame)).toBe(50);
    expect(across(9, 9, frame)).toBe(250);
    expect(across(0, 0, frame)).toBe(50);
  });

  it.each([
    [9, 800],
    [9, 200],
    [100, 800],
    [365, 300],
    [5000, 300],
    [0, 300]
  ])('give whole ticks for %i epochs on %i px', (last, width) => {
    const ticks = wholeTicks(last, width);
    expect(ticks[0]).toBe(0);
    expect(ticks.at(-1)).toBeLessThanOrEqual(last);
    expect((ticks.length - 1) * 44).toBeLessThanOrEqual(width);
    expect(ticks.every(Number.isInteger)).toBe(true);
  });
});

describe('a line', () => {
  it('has a gap where a loss was not a number', () => {
    const points = [1, 2, null, 4, 5].map((y, x) => ({ x, y }));
    expect(path(points)).toBe('M0.0 1.0L1.0 2.0M3.0 4.0L4.0 5.0');
  });

  it('keeps its highest and lowest value when thinned, and its order', () => {
    const points: Point[] = Array.from({ length: 5000 }, (_, x) => ({ x, y: Math.sin(x) }));
    points[2345] = { x: 2345, y: 40 };
    points[777] = { x: 777, y: -40 };
    const kept = thin(points, 200);
    expect(kept.length).toBeLessThanOrEqual(400);
    expect(kept).toContainEqual({ x: 2345, y: 40 });
    expect(kept).toContainEqual({ x: 777, y: -40 });
    expect(kept.every((point, i) => i === 0 || point.x > kept[i - 1]!.x)).toBe(true);
  });

  it('is left alone when short', () => {
    const points = [{ x: 0, y: 1 }];
    expect(thin(points, 200)).toBe(points);
  });
});

describe('labels at the ends', () => {
  it('stay where they are when there is room', () => {
    expect(apart([80, 20], 14, 10, 110)).toEqual([80, 20]);
  });

  it('move apart and stay inside', () => {
    const placed = apart([108, 106, 104], 14, 10, 110);
    const sorted = [...placed].sort((a, b) => a - b);
    expect(sorted[1]! - sorted[0]!).toBeGreaterThanOrEqual(14);
    expect(sorted[2]! - sorted[1]!).toBeGreaterThanOrEqual(14);
    expect(Math.max(...placed)).toBeLessThanOrEqual(110);
    expect(placed[2]).toBeLessThan(placed[1]!);
  });
});

describe('the nearest point', () => {
  it('is found from either side', () => {
    expect(nearest([0, 10, 20], 14)).toBe(1);
    expect(nearest([0, 10, 20], 99)).toBe(2);
    expect(nearest([], 5)).toBeNull();
  });
});
