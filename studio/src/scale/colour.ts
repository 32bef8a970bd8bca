/**
 * The one diverging scale: blue below zero, paper at zero, orange above, symmetric.
 *
 *     strength = sign(v) · (|v| / extent)^0.75, held at ±1
 *
 * The exponent lifts small values off the paper; every legend is painted with the same function,
 * so that it is true for it. NaN has a colour of its own. Colours come from theme.css.
 */

export type Rgb = readonly [number, number, number];

export interface Palette {
  plus: Rgb;
  minus: Rgb;
  zero: Rgb;
  /** of digits on light and on dark cells: pure black and white, or some grounds allow no 4.5 : 1 */
  digitDark: Rgb;
  digitLight: Rgb;
  /** what is not a number */
  broken: Rgb;
}

const exponent = 0.75;
const half = 255; // steps of the table on either side of zero

/** −1..1 for a value; NaN stays NaN. An extent of 0 means that all values are 0. */
export function strength(value: number, extent: number): number {
  if (Number.isNaN(value)) return NaN;
  const share = extent > 0 ? Math.min(1, Math.abs(value) / extent) : 0;
  return Math.sign(value) * share ** exponent;
}

export function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const at = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * share);
  return [at(0), at(1), at(2)];
}

export function diverging(value: number, extent: number, palette: Palette): Rgb {
  const s = strength(value, extent);
  if (Number.isNaN(s)) return palette.broken;
  return mix(palette.zero, s < 0 ? palette.minus : palette.plus, Math.abs(s));
}

/** WCAG's relative luminance, 0..1. */
export function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((v) => {
    const share = v / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [
    number,
    number
  ];
  return (light + 0.05) / (dark + 0.05);
}

/** The digit colour that can be read better on the ground. */
export function inkOn(ground: Rgb, { digitDark, digitLight }: Palette): Rgb {
  return contrast(digitDark, ground) >= contrast(digitLight, ground) ? digitDark : digitLight;
}

export const css = (colour: Rgb): string => `rgb(${colour.join(' ')})`;

/** The scale as opaque pixels (little-endian RGBA), from −1 over 0 to +1, then NaN's. */
export function table(palette: Palette): Uint32Array {
  const pixels = new Uint32Array(2 * half + 2);
  const pixel = ([r, g, b]: Rgb) => (255 << 24) | (b << 16) | (g << 8) | r;
  for (let i = 0; i <= 2 * half; i++) {
    const s = (i - half) / half;
    pixels[i] = pixel(mix(palette.zero, s < 0 ? palette.minus : palette.plus, Math.abs(s)));
  }
  pixels[2 * half + 1] = pixel(palette.broken);
  return pixels;
}

/** Index into `table`. */
export function tableIndex(value: number, extent: number): number {
  const s = strength(value, extent);
  return Number.isNaN(s) ? 2 * half + 1 : half + Math.round(s * half);
}
