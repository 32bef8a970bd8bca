/** What anywidget loads: https://anywidget.dev/en/afm. The page lives as long as the cell shows it. */
import { mount, unmount } from 'svelte';
import type { Model } from './asking';
import Page from './Page.svelte';
import './tokens.css';

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  el.classList.add('seethrough');
  const page = mount(Page, { target: el, props: { model, within: el } });
  // a notebook has shortcuts on the keys that move through the page; after the page's own listeners
  el.dataset['lmSuppressShortcuts'] = 'true';
  const hold = (event: KeyboardEvent) => event.stopPropagation();
  el.addEventListener('keydown', hold);
  return () => {
    el.removeEventListener('keydown', hold);
    void unmount(page);
  };
}

export default { render };
