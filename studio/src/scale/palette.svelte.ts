/** theme.css's colours as numbers, for canvases; read again whenever the paper changes. */
import { createContext } from 'svelte';
import type { Theme } from '../state/theme.svelte';
import { table, type Palette, type Rgb } from './colour';

export function read(name: string): Rgb {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const numbers =
    getComputedStyle(probe)
      .color.match(/[\d.]+/g)
      ?.map(Number) ?? [];
  probe.remove();
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
}

export class Colours {
  #theme: Theme;

  constructor(theme: Theme) {
    this.#theme = theme;
  }

  palette: Palette = $derived.by(() => {
    void this.#theme.shade;
    return {
      plus: read('--plus'),
      minus: read('--minus'),
      zero: read('--zero'),
      digitDark: read('--digit-dark'),
      digitLight: read('--digit-light'),
      broken: read('--warn')
    };
  });

  table: Uint32Array = $derived(table(this.palette));
}

export const [coloursOf, provideColours] = createContext<Colours>();
