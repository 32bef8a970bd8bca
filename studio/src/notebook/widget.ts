/** What anywidget loads: https://anywidget.dev/en/afm. The page lives as long as the cell shows it. */
import { mount, unmount } from 'svelte';
import type { Model } from './asking';
import Page from './Page.svelte';
import './tokens.css';

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  el.classList.add('seethrough');
  let leave = () => {};
  const show = () => {
    const page = mount(Page, { target: el, props: { model, within: el } });
    const release = holdKeys(el);
    leave = () => {
      release();
      void unmount(page);
    };
  };
  // some notebooks put the cell into the document later: before that it has no colours to read
  const placed = new ResizeObserver(() => {
    if (!el.isConnected) return;
    placed.disconnect();
    show();
  });
  if (el.isConnected) show();
  else placed.observe(el);
  return () => {
    placed.disconnect();
    leave();
  };
}

/**
 * A notebook has shortcuts on the keys that move through the page: they stay here. What is pressed
 * with a modifier is the notebook's, as Ctrl+S.
 */
function holdKeys(el: HTMLElement): () => void {
  const isOurs = (event: KeyboardEvent) => !(event.ctrlKey || event.metaKey || event.altKey);
  // JupyterLab reads the mark when the key passes the document, on its way down
  const mark = (event: KeyboardEvent) =>
    el.toggleAttribute('data-lm-suppress-shortcuts', isOurs(event));
  const hold = (event: KeyboardEvent) => isOurs(event) && event.stopPropagation();
  window.addEventListener('keydown', mark, true);
  el.addEventListener('keydown', hold); // after the page's own listeners
  return () => {
    window.removeEventListener('keydown', mark, true);
    el.removeEventListener('keydown', hold);
  };
}

export default { render };
