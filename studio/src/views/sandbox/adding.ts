/**
 * Digits that add up exactly as they stand: the largest-remainder rule on one level, the same as the
 * server's for its equations.
 *
 *     part + part + … = sum
 *
 * With u = 10^−decimals, every shown part is the multiple of u just below or just above the true one,
 * and the shown sum is the true sum to the nearest multiple, ties to the even one. A float is an
 * integer over a power of two, so all of it is integer arithmetic (BigInt) and nothing drifts.
 */

export interface Shown {
  /** ASCII digits, as the server writes them: "-0.2500" */
  parts: string[];
  sum: string;
}

const least = 4;

/** Four digits after the point, and more where the largest value would show fewer than four. */
export function decimalsFor(values: readonly number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest === 0 ? least : Math.max(least, 3 - Math.floor(Math.log10(largest)));
}

/** The digits of finite numbers and of their sum. */
export function addingUp(values: readonly number[], decimals: number): Shown {
  const ratios = values.map(ratio);
  const shift = ratios.reduce((most, [, bits]) => (bits > most ? bits : most), 0n);
  const power = 10n ** BigInt(decimals);
  const scaled = ratios.map(([top, bits]) => (top * power) << (shift - bits));
  const target = nearestEven(
    scaled.reduce((all, one) => all + one, 0n),
    shift
  );
  const units = scaled.map((one) => one >> shift);
  const remainders = scaled.map((one, i) => one - (units[i]! << shift));
  const missing = Number(target - units.reduce((all, one) => all + one, 0n));
  remainders
    .map((size, i) => ({ size, i }))
    .sort((a, b) => (a.size === b.size ? a.i - b.i : a.size > b.size ? -1 : 1))
    .slice(0, missing)
    .forEach(({ i }) => (units[i] = units[i]! + 1n));
  return { parts: units.map((one) => digits(one, decimals)), sum: digits(target, decimals) };
}

/** One number alone, to the nearest digit, ties to even. */
export const shownAlone = (value: number, decimals: number): string =>
  addingUp([value], decimals).sum;

/** A float64 as `top` / 2^`bits`, exactly. */
function ratio(value: number): [top: bigint, bits: bigint] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const word = view.getBigUint64(0);
  const raised = (word >> 52n) & 2047n;
  const fraction = word & (2n ** 52n - 1n);
  const size = raised === 0n ? fraction : fraction + 2n ** 52n;
  const top = word >> 63n ? -size : size;
  const exponent = (raised === 0n ? 1n : raised) - 1075n;
  return exponent >= 0n ? [top << exponent, 0n] : [top, -exponent];
}

function nearestEven(scaled: bigint, shift: bigint): bigint {
  const floor = scaled >> shift;
  const twice = (scaled - (floor << shift)) << 1n;
  const one = 1n << shift;
  return twice > one || (twice === one && floor & 1n) ? floor + 1n : floor;
}

function digits(units: bigint, decimals: number): string {
  const size = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  const text = decimals ? `${size.slice(0, -decimals)}.${size.slice(-decimals)}` : size;
  return units < 0n ? `-${text}` : text;
}
