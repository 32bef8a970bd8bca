/** What the sandbox says in sentences. */
import type { Cell } from '../../state/place';
import { outputSize, paddedSize, seenByTwo, span, taps, unreached, type Spec } from './convolution';

/** The size formula with its numbers, from the left: formula, numbers, quotient, result. */
export function sizeLines(spec: Spec): [numbers: string, quotient: string, result: string] {
  const { size, kernel, padding, stride, dilation } = spec;
  const over = size + 2 * padding - dilation * (kernel - 1) - 1;
  return [
    `⌊(${size} + 2·${padding} − ${dilation}·(${kernel} − 1) − 1) / ${stride}⌋ + 1`,
    `⌊${over} / ${stride}⌋ + 1`,
    String(outputSize(spec))
  ];
}

const plural = (n: number, one: string, more = `${one}s`) => (n === 1 ? one : more);

function places(rows: readonly number[], { size, padding }: Spec): string {
  const inner = rows.filter((i) => i >= padding && i < padding + size).map((i) => i - padding);
  const outer = rows.length - inner.length;
  const parts = [
    inner.length ? `${plural(inner.length, 'row')} ${listed(inner)} of the crop` : '',
    outer ? `${outer} of padding` : ''
  ];
  return parts.filter(Boolean).join(' and ');
}

function listed(numbers: readonly number[]): string {
  const shown = numbers.length > 6 ? [...numbers.slice(0, 5), '…', numbers.at(-1)!] : numbers;
  return shown.join(', ');
}

/** Which rows and columns no window reads, and why. */
export function reachWords(spec: Spec): string {
  const { behind, between } = unreached(spec);
  if (!behind.length && !between.length) return 'Every row and every column is read.';
  const sentences: string[] = [];
  if (behind.length) {
    const n = behind.length;
    const many = n === 1 ? 'the last row and the last column' : `the last ${n} rows and columns`;
    sentences.push(
      `${paddedSize(spec) - span(spec)} / ${spec.stride} leaves a rest of ${n}: ` +
        `${many} are never reached (${places(behind, spec)}).`
    );
  }
  if (between.length)
    sentences.push(
      `${behind.length ? 'The windows also step' : 'The windows step'} over ${between.length} ` +
        `${plural(between.length, 'row')} and as many columns (${places(between, spec)}).`
    );
  return sentences.join(' ');
}

/** What two layers of this kind see, one behind the other. */
export function stackWords(spec: Spec): string {
  const [one, two] = [span(spec), seenByTwo(spec)];
  return (
    `One cell sees ${one} × ${one} px. In a second layer of this kind, one cell would see ` +
    `${one} + (${one} − 1)·${spec.stride} = ${two}, so ${two} × ${two} px.`
  );
}

/** Which numbers under the window lie in the padding, row-major. */
export function paddingAt(spec: Spec, { row, column }: Cell): boolean[] {
  const outside = (at: number) => at < spec.padding || at >= spec.padding + spec.size;
  return taps(row, spec).flatMap((y) => taps(column, spec).map((x) => outside(y) || outside(x)));
}

/** One cell of the output in a sentence; `sum` as it is displayed. */
export function cellWords(spec: Spec, { row, column }: Cell, sum: string): string {
  const many = spec.kernel ** 2;
  const reads = (at: number, one: string) => {
    const [first = 0, ...more] = taps(at, spec).map((i) => i - spec.padding);
    const last = more.at(-1);
    const text = last === undefined ? `${one} ${first}` : `${one}s ${first} to ${last}`;
    return text.replaceAll('-', '−');
  };
  const out = paddingAt(spec, { row, column }).filter(Boolean).length;
  const apart =
    spec.dilation > 1 && many > 1
      ? `, only every ${['second', 'third'][spec.dilation - 2]} of them`
      : '';
  return (
    `Output row ${row}, column ${column}: ${many === 1 ? 'one product makes' : `${many} products add up to`} ${sum}. ` +
    `The window lies on ${reads(row, 'row')} and ${reads(column, 'column')} of the crop${apart}` +
    (out ? `; ${out} of the numbers under it ${out === 1 ? 'is' : 'are'} padding.` : '.')
  );
}
