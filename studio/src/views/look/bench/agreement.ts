/** Whether an equation agrees with the framework: in its sum, and in every step that follows. */
import type { EquationMessage } from '../../../api/types';
import { full } from '../../../format/number';

/** Relative; of float32 about a tenth of it is ever seen. Half precision explains more: `tolerance`. */
const most = 1e-4;

export interface Agreement {
  /** what PyTorch's number comes from */
  who: string;
  /** the number that the equation ends with, less the framework's */
  difference: number;
  /** every number on the way is the framework's, to the last bit */
  isExact: boolean;
  addsUp: boolean;
  /** no number on the way differs by more than rounding */
  agrees: boolean;
  /** all numbers in full, line by line */
  title: string;
}

export function agreementOf(equation: EquationMessage, who: string): Agreement {
  const { sum, framework, difference, steps, worst_difference, tolerance } = equation;
  const lines = [
    { name: 'sum', value: sum, framework, difference },
    ...steps.map((step) => ({ ...step, name: step.layer }))
  ];
  return {
    who,
    difference: lines.at(-1)!.difference,
    isExact: lines.every((line) => line.difference === 0),
    addsUp: equation.adds_up,
    agrees:
      lines.every((line) => Number.isFinite(line.difference)) &&
      Number.isFinite(worst_difference) &&
      worst_difference <= Math.max(most, tolerance),
    title: lines
      .map((line) => `${line.name}: ${full(line.value)}; ${who} has ${full(line.framework)}`)
      .join('\n')
  };
}

/** Of one number that was recomputed. */
export function agreementOfOne(
  value: number,
  framework: number,
  difference: number,
  agrees: boolean,
  who: string
): Agreement {
  const isExact = difference === 0;
  const title = `recomputed ${full(value)}; ${who} has ${full(framework)}`;
  return { who, difference, isExact, addsUp: true, agrees, title };
}
