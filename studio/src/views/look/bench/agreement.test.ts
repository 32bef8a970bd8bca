import { describe, expect, it } from 'vitest';
import type { EquationMessage } from '../../../api/types';
import { agreementOf } from './agreement';

const step = (difference: number) => ({
  layer: 'relu1',
  kind: 'relu',
  formula: 'max(0, x)',
  shown: 'max(0, 2) = 2',
  value: 2 + difference,
  framework: 2,
  difference
});

const equation = (told: Partial<EquationMessage>) =>
  ({
    sum: 2,
    framework: 2,
    difference: 0,
    relative_difference: 0,
    worst_difference: 0,
    tolerance: 1e-5,
    steps: [],
    adds_up: true,
    ...told
  }) as unknown as EquationMessage;

describe('agreement', () => {
  it('is exact only where the sum and every step are', () => {
    expect(agreementOf(equation({}), 'PyTorch').isExact).toBe(true);
    const later = equation({ steps: [step(2.7e-9)], worst_difference: 1.3e-9 });
    const found = agreementOf(later, 'autograd');
    expect([found.isExact, found.agrees]).toEqual([false, true]);
    expect(found.difference).toBe(2.7e-9);
    expect(found.title).toContain('relu1: 2.0000000027; autograd has 2');
  });

  it('is none where a step on the way is another number', () => {
    const wrong = equation({ steps: [step(1), step(0)], worst_difference: 0.5 });
    const found = agreementOf(wrong, 'PyTorch');
    expect([found.agrees, found.isExact, found.difference]).toEqual([false, false, 0]);
  });

  it('allows for what the number type of the network explains', () => {
    const half = equation({ difference: 1e-3, worst_difference: 1e-3, tolerance: 2e-3 });
    expect(agreementOf(half, 'PyTorch').agrees).toBe(true);
    const beyond = equation({ difference: 1e-3, worst_difference: 3e-3, tolerance: 2e-3 });
    expect(agreementOf(beyond, 'PyTorch').agrees).toBe(false);
    const whole = equation({ difference: 1e-3, worst_difference: 1e-3 });
    expect(agreementOf(whole, 'PyTorch').agrees).toBe(false);
  });

  it('is none where a difference is no number', () => {
    const missing = null as unknown as number; // as JSON has it
    expect(agreementOf(equation({ worst_difference: missing }), 'PyTorch').agrees).toBe(false);
    expect(agreementOf(equation({ difference: NaN }), 'PyTorch').agrees).toBe(false);
  });
});
