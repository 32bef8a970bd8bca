/**
 * Names of layers in little room: `network.encoder.stages.1.layers.0.layer.0.convolution`.
 *
 * The end of a name tells most, so whole parts are left out in front of it: `…layer.0.convolution`.
 * Where not even the last part fits, its beginning stands: `convol…`; of one that is only a number the
 * part before it too: `downs…0`.
 */

// IBM Plex Sans, semi-bold: thousandths of an em that a letter advances, measured in the font
const advances: readonly (readonly [letters: string, advance: number])[] = [
  [' ', 236],
  ['ijl', 294],
  ['.,:', 319],
  ['frt·-', 402],
  ['cszvy', 524],
  ['aegkox_', 563],
  ['bdhnpqu0123456789', 600],
  ['w', 819],
  ['…', 869],
  ['m', 888]
];
const other = 720; // capitals
const advance = new Map(advances.flatMap(([letters, one]) => [...letters].map((l) => [l, one])));

/** How many pixels a text takes at a size, at most; capitals about. */
export const width = (text: string, size_px: number): number =>
  ([...text].reduce((sum, letter) => sum + (advance.get(letter) ?? other), 0) * size_px) / 1000;

/** The name where it fits into so many pixels, else what tells most of it. */
export function shortened(name: string, room_px: number, size_px = 10.5): string {
  const fits = (text: string) => width(text, size_px) <= room_px;
  if (fits(name)) return name;
  const parts = name.split('.');
  for (let from = 1; from < parts.length; from++) {
    const end = parts.slice(from).join('.');
    if (/^\d+$/.test(end)) break; // a number alone tells nothing
    if (fits(`…${end}`)) return `…${end}`;
    if (fits(end)) return end;
  }
  const last = parts.at(-1)!;
  const isNumber = parts.length > 1 && /^\d+$/.test(last);
  const [word, ending] = isNumber ? [parts.at(-2)!, `…${last}`] : [last, '…'];
  for (let length = word.length; length > 1; length--) {
    const start = word.slice(0, length) + (length < word.length || isNumber ? ending : '');
    if (fits(start)) return start;
  }
  return word.slice(0, 1) + ending;
}

/** The parts of a name, each with the dot behind it: between them a line may break. */
export const parts = (name: string): string[] => name.split(/(?<=\.)/);
