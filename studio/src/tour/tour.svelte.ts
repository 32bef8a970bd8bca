/** The guided tour: which card is open, what it knows of the network, whether its task is done. */
import { createContext, untrack } from 'svelte';
import { refusal, type Refused } from '../api/ask';
import { api } from '../api/client';
import type { Place } from '../state/place';
import type { Route, Step } from '../state/route.svelte';
import type { Session } from '../state/session.svelte';
import { cardOf, ids, isCard, plain, type Card, type CardId } from './cards';
import { factsOf, factsOfNetwork, type Facts } from './facts';
import { remember, remembered } from './memory';
import { begin, follow, type Track } from './track';

/** These tell of a training, which nobody recorded where there is no run. */
const ofRuns: readonly CardId[] = ['normalising', 'step', 'epoch', 'generalisation', 'overfitting'];

export class Tour {
  #route: Route;
  #session: Session;

  facts = $state.raw<Facts | null>(null);
  refused = $state.raw<Refused | null>(null);
  /** cards whose task was done, in this browser */
  done = $state.raw<ReadonlySet<CardId>>(new Set(remembered().done));
  /** the card was asked for, so it points at what it is about */
  isPointing = $state(true);
  #track = $state.raw<{ of: CardId; track: Track } | null>(null);
  /** what had the keyboard before the card */
  #opener: Element | null = null;
  /** how often a card was asked for: it then takes the keyboard */
  asked = $state(0);
  /** the address names a card and no place: the card leads to its own */
  #leads = $state(false);

  constructor(route: Route, session: Session) {
    this.#route = route;
    this.#session = session;
    this.#leads = this.#isNowhere(route.current);
  }

  run = $derived.by(() => this.#route.current.run ?? this.#session.first ?? null);

  /** what is looked at, where it is no run */
  #network = $derived.by(() => this.#session.network(this.run ?? undefined));

  /** Those of the address, else all. */
  steps: readonly CardId[] = $derived.by(() => {
    const said = (this.#route.current.guide?.steps ?? []).filter(isCard);
    const all = said.length ? said : ids;
    return this.#network ? all.filter((id) => !ofRuns.includes(id)) : all;
  });

  open: CardId | null = $derived.by(() => {
    const said = this.#route.current.guide?.tour;
    return isCard(said) ? said : null;
  });

  card: Card | null = $derived.by(() => {
    if (!this.open) return null;
    if (!this.facts || (this.#network && ofRuns.includes(this.open))) return plain(this.open);
    return cardOf(this.open, this.facts);
  });

  /** its place among the steps; −1 where it is none of them */
  index = $derived.by(() => (this.open ? this.steps.indexOf(this.open) : -1));

  isDone = $derived.by(() => {
    const track = this.#track;
    return track !== null && track.of === this.open && track.track.isDone;
  });

  /** What the address hides, but for what the open card needs. */
  hidden: readonly string[] = $derived.by(() => {
    const said = this.#route.current.guide?.hide ?? [];
    const needs = this.isPointing ? (this.card?.task?.needs ?? []) : [];
    return said.filter((part) => !needs.includes(part));
  });

  // ------------------------------------------------------------ acts

  /** The card that was open last, or the first. */
  begin(): void {
    const { at } = remembered();
    const [first] = this.steps;
    const to = at && this.steps.includes(at) ? at : first;
    if (to) this.go(to);
  }

  /** Opens a card and leads to where its task begins. */
  go(id: CardId, step: Step = 'push'): void {
    this.#keepOpener();
    this.#track = null;
    this.isPointing = true;
    const { guide: said, view, photo } = this.#route.current;
    const start = this.facts ? cardOf(id, this.facts).task?.start : undefined;
    const guide = { ...said, tour: id };
    if (!this.facts) this.#leads = true;
    const kept = view === 'look' && start?.view === 'look' && photo ? { photo } : {};
    if (start && this.run) this.#route.go({ ...start, ...kept, run: this.run, guide }, step);
    else this.#route.guide({ tour: id }, step);
    this.#opened();
  }

  /** Opens a card where the reader is. */
  explain(id: CardId): void {
    this.#keepOpener();
    this.#track = null;
    this.isPointing = false;
    this.#route.guide({ tour: id });
    this.#opened();
  }

  /** To the start of the open card's task. */
  lead(): void {
    if (this.open) this.go(this.open);
  }

  /** `by`: 1 to the next card, −1 to the one before; after the last the tour closes. */
  turn(by: 1 | -1): void {
    const to = this.steps[this.index + by];
    if (to) this.go(to);
    else if (by === 1) this.close();
  }

  close(): void {
    this.#route.guide({ tour: undefined });
    if (this.#opener instanceof HTMLElement && this.#opener.isConnected)
      this.#opener.focus({ preventScroll: true });
    this.#opener = null;
  }

  /** Whether the reader is where the task of the open card begins, or has gone on from there. */
  isHere = $derived.by(() => {
    const task = this.card?.task;
    return task ? task.start.view === this.#route.current.view : true;
  });

  // ------------------------------------------------------------ called from effects

  /** What the cards say of the run that is looked at, and of its photo. */
  async learn(run: string, photo: string | undefined, signal: AbortSignal): Promise<void> {
    const facts = untrack(() => this.facts); // what is learned here must not ask again
    const isSame = facts?.run === run && (photo === undefined || facts.photo === photo);
    if (isSame && facts.isOver) return;
    try {
      await this.#session.known;
      const network = this.#session.network(run);
      if (network) {
        const of = photo ?? (await somePhoto(run, signal));
        const trace = of ? await api.trace(run, of, signal) : null;
        if (signal.aborted) return;
        this.facts = factsOfNetwork(network, trace);
        this.refused = null;
        return;
      }
      const detail = await api.run(run, signal);
      const of = photo ?? detail.watched[0] ?? (await somePhoto(run, signal));
      const [trace, report] = await Promise.all([
        of && detail.weights_sha256 ? orNothing(api.trace(run, of, signal)) : null,
        detail.summary.state === 'finished' ? orNothing(api.report(run, signal)) : null
      ]);
      if (signal.aborted) return;
      this.facts = factsOf(detail, trace, report && 'confusion' in report ? report : null);
      this.refused = null;
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  /** Once something is known: to the place of a card whose address named none. */
  settle(): void {
    if (!this.#leads || !this.facts || !this.open) return;
    this.#leads = false;
    untrack(() => this.go(this.open!, 'replace'));
  }

  /** Looks where the reader has got to. */
  follow(): void {
    const { card } = this;
    const now = this.#route.current;
    if (!card?.task) return;
    const { reached } = card.task;
    const is = reached.bind(card.task);
    untrack(() => {
      const before = this.#track?.of === card.id ? this.#track.track : null;
      const track = before ? follow(before, now, is) : begin(now, is);
      if (track !== before) this.#track = { of: card.id, track };
      if (track.isDone && !this.done.has(card.id)) this.done = new Set([...this.done, card.id]);
    });
  }

  /** The browser remembers where the tour is. */
  keep(): void {
    const { open, done } = this;
    if (open) remember({ at: open, done: [...done] });
  }

  // ------------------------------------------------------------ inside

  #opened(): void {
    this.asked++;
    this.follow(); // the address may be the same as before
  }

  #keepOpener(): void {
    const { activeElement } = document;
    if (!activeElement?.closest('[data-tour]')) this.#opener = activeElement;
  }

  #isNowhere({ view, run, guide }: Place): boolean {
    return isCard(guide?.tour) && view !== 'runs' && run === undefined;
  }
}

/** What may not be there yet: the trace before the first checkpoint, the report of a stopped run. */
async function orNothing<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked;
  } catch {
    return null;
  }
}

const somePhoto = async (run: string, signal: AbortSignal): Promise<string | undefined> =>
  (await api.photos(run, { limit: 1 }, signal)).photos[0]?.id;

export const [tourOf, provideTour] = createContext<Tour>();
