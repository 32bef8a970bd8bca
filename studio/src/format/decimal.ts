/**
 * Exact sums of displayed decimals, as a reader with a pencil would add them.
 *
 * A shown number is text such as "-0.4218"; it is read as a whole number of its last digit's units
 * (BigInt), so nothing is rounded on the way. Not for numbers with an exponent.
 */

interface Decimal {
  /** value · 10^digits */
  units: bigint;
  digits: number;
}

function read(shown: string): Decimal | null {
  const match = /^([+\-−]?)(\d+)(?:\.(\d+))?$/.exec(shown.trim());
  if (!match) return null;
  const fraction = match[3] ?? '';
  const size = BigInt(match[2] + fraction);
  return { units: match[1] === '-' || match[1] === '−' ? -size : size, digits: fraction.length };
}

function write({ units, digits }: Decimal): string {
  const size = (units < 0n ? -units : units).toString().padStart(digits + 1, '0');
  const text = digits ? `${size.slice(0, -digits)}.${size.slice(-digits)}` : size;
  return units < 0n ? `-${text}` : text;
}

/** The exact sum with as many digits as the longest; null if one is no plain decimal. */
export function sum(shown: readonly string[]): string | null {
  const numbers = shown.map(read);
  if (numbers.some((n) => n === null)) return null;
  const decimals = numbers as Decimal[];
  const digits = Math.max(0, ...decimals.map((d) => d.digits));
  const units = decimals.reduce((all, d) => all + d.units * 10n ** BigInt(digits - d.digits), 0n);
  return write({ units, digits });
}

/** Whether the shown numbers add up to the shown sum, to the last digit. */
export function addsUp(shown: readonly string[], total: string): boolean {
  const [found, wanted] = [read(sum(shown) ?? ''), read(total)];
  if (!found || !wanted) return false;
  return found.units * 10n ** BigInt(wanted.digits) === wanted.units * 10n ** BigInt(found.digits);
}
