/** Light or dark: what the system says, until the reader says otherwise. */
import { createContext } from 'svelte';
import { MediaQuery } from 'svelte/reactivity';

export type Shade = 'light' | 'dark';

const key = 'seethrough-theme';

function remembered(): Shade | null {
  const said = localStorage.getItem(key);
  return said === 'light' || said === 'dark' ? said : null;
}

export class Theme {
  #system = new MediaQuery('prefers-color-scheme: dark');
  #said = $state<Shade | null>(remembered());

  constructor() {
    this.#show();
  }

  get shade(): Shade {
    return this.#said ?? (this.#system.current ? 'dark' : 'light');
  }

  toggle(): void {
    this.#said = this.shade === 'dark' ? 'light' : 'dark';
    localStorage.setItem(key, this.#said);
    this.#show();
  }

  #show(): void {
    if (this.#said) document.documentElement.dataset['theme'] = this.#said;
  }
}

export const [themeOf, provideTheme] = createContext<Theme>();
