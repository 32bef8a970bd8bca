/** Numbers as they are typeset: a true minus sign, fixed digits, thousands apart, shares as percent. */

const minus = '−';

/** 1.5 → 1.500; −0.0001 → 0.000, never −0.000. NaN and infinities are shown as they are. */
export function fixed(value: number, decimals = 2): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${minus}∞`;
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? minus + text : text;
}

/** With its sign always: +0.8089, −1.0736. */
export function signed(value: number, decimals = 4): string {
  const text = fixed(value, decimals);
  return text.startsWith(minus) || text === 'NaN' ? text : `+${text}`;
}

/** 12345 → 12,345. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US').replace('-', minus);
}

/** A share 0..1 as percent: 0.859 → 85.9 %. A share that is not quite all or nothing never reads as such. */
export function percent(share: number | null | undefined, decimals = 1): string {
  if (share === null || share === undefined) return '–';
  if (Number.isNaN(share)) return 'NaN';
  const text = (100 * share).toFixed(decimals);
  const step = 10 ** -decimals;
  const nbsp = '\u00a0%';
  if (share > 0 && Number(text) === 0) return `<\u2009${step.toFixed(decimals)}${nbsp}`;
  if (share < 1 && Number(text) === 100) return `>\u2009${(100 - step).toFixed(decimals)}${nbsp}`;
  return text + nbsp;
}

/** 2.4e−7, 0: for differences, where only the size matters. */
export function scientific(value: number, decimals = 1): string {
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return fixed(value);
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential(decimals).split('e');
  return `${value < 0 ? minus : ''}${mantissa}e${exponent.replace('-', minus).replace('+', '')}`;
}

/** As `fixed`, but of small numbers the first two digits that are not zero: 0.0023, 4.1e−6. */
export function compact(value: number, decimals = 2): string {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size) || size >= 10 ** (1 - decimals))
    return fixed(value, decimals);
  if (size < 1e-4) return scientific(value);
  return fixed(value, 1 - Math.floor(Math.log10(size)));
}

/** Every digit that a float32 or float64 has: for titles. */
export function full(value: number): string {
  return String(value).replaceAll('-', minus);
}

/** ASCII digits from the server as they are set: -0.25 → −0.25. What is shown as zero has no sign: -0.00 → 0.00. */
export function typeset(shown: string): string {
  return shown.replace(/(^|[^\de.])-(?=0(?:\.0*)?(?![\d.e]))/g, '$1').replaceAll('-', minus);
}

/** Digits from the server with their sign always: 0.25 → +0.25, -0.25 → −0.25. */
export function typesetSigned(shown: string): string {
  const text = typeset(shown);
  return text.startsWith(minus) ? text : `+${text}`;
}

/** 75 s → 1 min 15 s. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
