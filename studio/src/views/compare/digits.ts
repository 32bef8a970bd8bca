/** Two numbers and their difference, in digits that follow from each other. Numbers are looked up elsewhere. */
import { sum } from '../../format/decimal';
import { fixed, typeset, typesetSigned } from '../../format/number';

export interface Apart {
  first: string;
  second: string;
  /** the second's digits minus the first's */
  difference: string;
}

const most = 20; // digits after the point

/** Four digits after the point, more where the larger number would show fewer than four that count. */
export function decimalsOf(...values: readonly number[]): number {
  const size = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  if (size === 0) return 4;
  return Math.max(4, Math.min(most, 3 - Math.floor(Math.log10(size))));
}

/** ASCII digits of a number; what is shown as zero has no sign. */
export function digits(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** The difference of digits that stand on the screen, with its sign; null where they are none. */
export function between(first: string, second: string): string | null {
  const less = first.startsWith('-') ? first.slice(1) : `-${first}`;
  const found = sum([second, less]);
  if (found === null) return null;
  return Number(found) === 0 ? typeset(found) : typesetSigned(found);
}

/** `decimals`: where more than these two are to have as many */
export function apart(
  first: number,
  second: number,
  decimals: number = decimalsOf(first, second)
): Apart {
  if (!Number.isFinite(first) || !Number.isFinite(second))
    return { first: fixed(first, 4), second: fixed(second, 4), difference: fixed(NaN) };
  const [one, other] = [digits(first, decimals), digits(second, decimals)];
  return {
    first: typeset(one),
    second: typeset(other),
    difference: between(one, other) ?? fixed(second - first, decimals)
  };
}
