/** Light or dark as the notebook around is: JupyterLab, VS Code and Colab each say it in their way. */
import type { Shade } from '../state/theme.svelte';

function around(): Shade {
  const { body, documentElement: root } = document;
  const isDark =
    body.dataset['jpThemeLight'] === 'false' ||
    body.dataset['vscodeThemeKind']?.includes('dark') ||
    root.getAttribute('theme') === 'dark';
  return isDark ? 'dark' : 'light';
}

export class Paper {
  shade = $state<Shade>(around());
  #watch: MutationObserver;

  constructor(private within: HTMLElement) {
    this.#watch = new MutationObserver(() => this.#show());
    const attributeFilter = ['data-jp-theme-light', 'data-vscode-theme-kind', 'theme'];
    for (const element of [document.documentElement, document.body])
      this.#watch.observe(element, { attributes: true, attributeFilter });
    this.#show();
  }

  close(): void {
    this.#watch.disconnect();
  }

  #show(): void {
    const shade = around();
    this.within.dataset['shade'] = shade; // before the colours are read again
    this.shade = shade;
  }
}
