/** Where the studio is. The address bar is the truth; `go` writes it, Back and Forward read it. */
import { createContext } from 'svelte';
import { href, parse, type Goal, type Guide, type Place } from './place';

export type Step = 'push' | 'replace';

export class Route {
  current = $state.raw<Place>(parse(location.pathname, location.search));

  /** `replace` for what is too small to be a step back: a cell under the moving window, a filter. */
  go(place: Goal, step: Step = 'push'): void {
    const address = href({ guide: this.current.guide, ...place });
    if (address === location.pathname + location.search) return;
    if (step === 'push') history.pushState(null, '', address);
    else history.replaceState(null, '', address);
    this.#read();
  }

  /** Opens a card, closes it, shows what was hidden; where one is stays. */
  guide(change: Guide, step: Step = 'push'): void {
    const { current } = this;
    this.go({ ...current, guide: { ...current.guide, ...change } }, step);
  }

  /** Attached to the window: Back, Forward, and clicks on our own links. Returns the way off. */
  listen(): () => void {
    const read = () => this.#read();
    const click = (event: MouseEvent) => this.#click(event);
    addEventListener('popstate', read);
    addEventListener('click', click);
    return () => {
      removeEventListener('popstate', read);
      removeEventListener('click', click);
    };
  }

  #read(): void {
    this.current = parse(location.pathname, location.search);
  }

  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    this.go(parse(link.pathname, link.search)); // a link that names no card keeps the one there is
    scrollTo(0, 0);
  }
}

export const [routeOf, provideRoute] = createContext<Route>();
