/** theme.css's colours as numbers, for canvases; read again whenever the paper changes. */
import { createContext } from 'svelte';
import type { Theme } from '../state/theme.svelte';
import { css, inkOn, table, tableIndex, type Palette, type Rgb } from './colour';

export function read(name: string, within: Element = document.body): Rgb {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  within.append(probe);
  const numbers =
    getComputedStyle(probe)
      .color.match(/[\d.]+/g)
      ?.map(Number) ?? [];
  probe.remove();
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
}

export class Colours {
  #theme: Pick<Theme, 'shade'>;
  #within: Element | undefined;

  /** `within` has theme.css's names where the page itself has not. */
  constructor(theme: Pick<Theme, 'shade'>, within?: Element) {
    this.#theme = theme;
    this.#within = within;
  }

  palette: Palette = $derived.by(() => {
    void this.#theme.shade;
    return {
      plus: read('--plus', this.#within),
      minus: read('--minus', this.#within),
      zero: read('--zero', this.#within),
      digitDark: read('--digit-dark', this.#within),
      digitLight: read('--digit-light', this.#within),
      broken: read('--warn', this.#within)
    };
  });

  table: Uint32Array = $derived(table(this.palette));

  /** Ground and ink of each colour of the table, as styles; written when first asked for. */
  #tiles: (string | undefined)[] = $derived.by(() => (void this.palette, []));

  /** The style of a cell with digits on it, in the colour that `table` has for the value. */
  tile(value: number, extent: number): string {
    const at = tableIndex(value, extent);
    return (this.#tiles[at] ??= this.#tile(at));
  }

  #tile(at: number): string {
    const pixel = this.table[at]!;
    const ground: Rgb = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
    return `background-color:${css(ground)};color:${css(inkOn(ground, this.palette))}`;
  }
}

export const [coloursOf, provideColours] = createContext<Colours>();
