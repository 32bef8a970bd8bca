/** The sheet and the two inks of a painted matrix, as numbers; read again whenever the paper changes. */
import type { Rgb } from '../scale/colour';
import { read } from '../scale/palette.svelte';
import type { Theme } from './theme.svelte';

export class Papers {
  #theme: Theme;

  constructor(theme: Theme) {
    this.#theme = theme;
  }

  /** sheet, right answers, mistakes */
  matrix: readonly [Rgb, Rgb, Rgb] = $derived.by(() => {
    void this.#theme.shade;
    return [read('--sheet'), read('--accent'), read('--plus')];
  });
}
