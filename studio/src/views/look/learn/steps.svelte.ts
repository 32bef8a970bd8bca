/** Steps of learning: from what, how many, at which rate, and the answers that belong to them. */
import { untrack } from 'svelte';
import type { Tensor } from '../../../api/ask';
import { api, type StepQuery } from '../../../api/client';
import { Latest } from '../../../api/latest';
import type { LearningStepMessage, PullsMessage, UpdateMessage } from '../../../api/types';
import { afterPaint } from '../../../state/paint';
import type { Scene } from '../scene';
import { placeText, rateOf, rateText, type Place } from './figures';
import { After, difference } from './gradients';
import type { Asked } from './learn.svelte';

export const memories = ['empty', 'the run’s'] as const;
export type Memory = (typeof memories)[number];
export type Batch = 'one' | 'run';

export const mostSteps = 100;
export const mostInPicture = 256; // photos of a batch
const settled_ms = 300; // the address follows when the slider rests

type Query = Readonly<Record<string, string>>;
type Change = Record<string, string | undefined>;

interface Keyed<Message> {
  key: string;
  message: Message;
}

/** What the steps need to know of the look that they belong to. */
export interface Ground {
  readonly run: string;
  readonly view: string;
  readonly query: Query;
  readonly scene: Scene | null;
  /** whether these are the run's newest weights, beside which its optimizer's memory was kept */
  readonly isNewest: boolean;
  /** false for an opened network: it has no recipe, no batches and no optimizer */
  readonly isRun: boolean;
  /** of the loss that is shown: class, weights and moment, as a query and as a key; null: not yet */
  readonly loss: { key: string; query: StepQuery } | null;
  /** whether steps are looked at */
  readonly isStepping: boolean;
  /** the learned number that is taken apart, by its name in the state dict; null: none */
  readonly weight: { name: string; place: Place } | null;
  ask<Answer>(
    what: Asked,
    latest: Latest<Answer>,
    key: string,
    fetch: (signal: AbortSignal) => Promise<Answer>,
    tell: (answer: Answer) => void
  ): void;
  go(to: Change, how: 'push' | 'replace'): void;
}

export class Steps {
  #ground: Ground;

  step = $state.raw<Keyed<LearningStepMessage> | null>(null);
  update = $state.raw<Keyed<UpdateMessage> | null>(null);
  pulls = $state.raw<Keyed<PullsMessage> | null>(null);
  /** photos of a batch of the run; null: it is no run, or not known yet */
  batchSize = $state.raw<number | null>(null);
  isPlaying = $state(false);
  #after = $state.raw<{ key: string; of: Scene; values: Float32Array } | null>(null);
  #moved = $state.raw<number | null>(null);

  #steps = new Latest<LearningStepMessage>();
  #afters = new Latest<Tensor>(12);
  #updates = new Latest<UpdateMessage>();
  #pulls = new Latest<PullsMessage>();
  #settling: ReturnType<typeof setTimeout> | undefined;
  #isSizeAsked = false;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get isRun(): boolean {
    return this.#ground.isRun;
  }

  /** Of several labels a step learns from one photo. */
  hasBatches: boolean = $derived.by(
    () => this.isRun && this.#ground.scene?.trace.is_several !== true
  );

  /** null: the peak of the run's recipe, or on its own batch the rate of that step */
  rate: number | null = $derived.by(() => this.#moved ?? rateOf(this.#ground.query['rate']));

  /** what the optimizer remembers when the first step begins */
  memory: Memory = $derived.by(
    () => memories[this.#ground.query['memory'] === 'run' && this.#ground.isNewest ? 1 : 0]
  );

  canRemember: boolean = $derived.by(() => this.#ground.isNewest);

  /** what a step learns from */
  batch: Batch = $derived.by(() =>
    this.hasBatches && this.#ground.query['batch'] === 'run' ? 'run' : 'one'
  );

  /** how many are taken, one after the other */
  times: number = $derived.by(() => {
    const said = Number(this.#ground.query['times'] ?? 1);
    return Number.isInteger(said) ? Math.max(1, Math.min(mostSteps, said)) : 1;
  });

  /** whether the weights and gradients are not those of the photo as it is looked at */
  isOwn: boolean = $derived(this.batch === 'run' || this.times > 1);

  /** whether what is shown is what was asked for */
  isCurrent: boolean = $derived.by(() => this.step !== null && this.step.key === this.key);

  /** what the answers belong to */
  key: string | null = $derived.by(() => this.#question()?.key ?? null);

  /** Activations after the steps, and what they changed; null until they are there. */
  stepped: { after: Scene; change: Scene } | null = $derived.by(() => {
    const { scene } = this.#ground;
    const found = this.#after;
    if (!scene || found?.of !== scene) return null;
    const after = new After(scene, found.values);
    return { after, change: difference(scene, after) };
  });

  // ------------------------------------------------------------ acts

  /** Begins with this memory of the optimizer. */
  remember(memory: Memory): void {
    this.#drop();
    this.#ground.go({ memory: memory === memories[1] ? 'run' : undefined }, 'push');
  }

  /** Learns from the photo alone, or from the run's own batches and with all that it remembers. */
  learnFrom(batch: Batch): void {
    this.#drop();
    const memory = batch === 'run' && this.#ground.isNewest ? 'run' : undefined;
    this.#ground.go(
      { batch: batch === 'run' ? 'run' : undefined, memory, times: undefined },
      'push'
    );
  }

  /** Takes so many steps. */
  take(times: number): void {
    const wanted = Math.max(1, Math.min(mostSteps, times));
    this.#ground.go({ times: wanted === 1 ? undefined : String(wanted) }, 'replace');
  }

  /** One step after the other, as quickly as they are told. */
  play(): void {
    this.isPlaying = this.times < mostSteps;
    this.#goOn();
  }

  pause(): void {
    this.isPlaying = false;
  }

  /** Waits no longer: back to the steps that are there. */
  stop(): void {
    this.#drop();
    const there = this.step?.message;
    if (there?.batch && this.batch === 'run' && there.steps < this.times) this.take(there.steps);
    else this.learnFrom('one');
  }

  /** Answers follow at once, the address when the slider rests; null: as the run has it. */
  learnAt(rate: number | null): void {
    this.#moved = rate;
    clearTimeout(this.#settling);
    const { view } = this.#ground;
    const settle = () => {
      this.#moved = null;
      if (this.#ground.view !== view) return; // one has gone on meanwhile
      this.#ground.go({ rate: rate === null ? undefined : rateText(rate) }, 'replace');
    };
    if (rate === null) settle();
    else this.#settling = setTimeout(settle, settled_ms);
  }

  // ------------------------------------------------------------ answers; called from effects

  askSize(): void {
    if (!this.#ground.isStepping || this.#isSizeAsked || !this.isRun) return;
    this.#isSizeAsked = true;
    api.run(this.#ground.run).then(
      ({ recipe, dataset }) => {
        const images = dataset.counts.reduce((sum, { train }) => sum + train, 0);
        this.batchSize = Math.min(Number(recipe['batch']), images) || null;
      },
      () => (this.batchSize = null)
    );
  }

  askStep(): void {
    const asked = this.#question();
    if (!asked) return;
    const { key, photo, query } = asked;
    const fetch = (signal: AbortSignal) => api.learningStep(this.#ground.run, photo, query, signal);
    this.#ground.ask('step', this.#steps, key, fetch, (message) => {
      this.step = { key, message };
      this.#goOn();
    });
  }

  askAfter(): void {
    const asked = this.#question();
    const { scene } = this.#ground;
    if (!asked || !scene) return;
    const { key, photo, query } = asked;
    const fetch = (signal: AbortSignal) =>
      api.activationsAfter(this.#ground.run, photo, query, signal);
    this.#ground.ask('after', this.#afters, key, fetch, ({ values }) => {
      this.#after = { key, of: scene, values };
      this.#goOn();
    });
  }

  askUpdate(): void {
    const of = this.#numberAsked();
    if (!of) return;
    const { key, photo, query } = of;
    const fetch = (signal: AbortSignal) =>
      api.learningUpdate(this.#ground.run, photo, query, signal);
    this.#ground.ask('update', this.#updates, key, fetch, (message) => {
      this.update = { key, message };
    });
  }

  askPulls(): void {
    const of = this.batch === 'run' ? this.#numberAsked() : null;
    if (!of) return;
    const { key, photo, query } = of;
    const fetch = (signal: AbortSignal) =>
      api.learningPulls(this.#ground.run, photo, query, signal);
    this.#ground.ask('pulls', this.#pulls, key, fetch, (message) => {
      this.pulls = { key, message };
    });
  }

  /** The photos of the last batch as training takes them: where the picture of them all is. */
  pictures: string | null = $derived.by(() => {
    const asked = this.isCurrent && this.batch === 'run' && !this.isPlaying && this.#question();
    return asked ? api.learningPhotos(this.#ground.run, asked.photo, asked.query) : null;
  });

  /** A learned parameter before the last step, and its gradient. */
  async parameter(name: string, signal: AbortSignal): Promise<[Tensor, Tensor]> {
    const asked = this.#question();
    if (!asked) throw new DOMException('No step is looked at.', 'AbortError');
    const query = { ...asked.query, name };
    const { values, shape } = await api.learningParameter(
      this.#ground.run,
      asked.photo,
      query,
      signal
    );
    const size = values.length / 2;
    const own = shape.slice(1);
    return [
      { values: values.subarray(0, size), shape: own },
      { values: values.subarray(size), shape: own }
    ];
  }

  // ------------------------------------------------------------ inside

  /** At full speed: the next step, once this one is there and drawn. */
  #goOn(): void {
    untrack(() => {
      if (!this.isPlaying || !this.isCurrent || this.#after?.key !== this.key) return;
      const { key } = this;
      afterPaint(() => {
        if (!this.isPlaying || this.key !== key) return;
        if (this.times < mostSteps) this.take(this.times + 1);
        else this.isPlaying = false;
      });
    });
  }

  /** What is on its way is not wanted any more: the server leaves it. */
  #drop(): void {
    this.isPlaying = false;
    for (const latest of [this.#steps, this.#afters, this.#updates, this.#pulls]) latest.drop();
  }

  #question() {
    const { loss, scene, isStepping } = this.#ground;
    if (!isStepping || !scene || !loss) return null;
    const memory = this.memory === memories[1] ? ('run' as const) : undefined;
    const batch = this.batch === 'run' ? ('run' as const) : undefined;
    const steps = this.times > 1 ? this.times : undefined;
    const query = { ...loss.query, learning_rate: this.rate ?? undefined, memory, batch, steps };
    const key = [loss.key, this.rate ?? 'own', memory ?? 'empty', this.batch, this.times].join('/');
    return { key, photo: scene.trace.photo.id, query };
  }

  /** Waits for the step itself, so that nothing of an older one is asked; at rest only. */
  #numberAsked() {
    const asked = this.#question();
    const { weight } = this.#ground;
    if (!asked || !weight || this.isPlaying || (this.isOwn && !this.isCurrent)) return null;
    const { name, place } = weight;
    const key = `${asked.key}/${name}/${placeText(place)}`;
    return { key, photo: asked.photo, query: { ...asked.query, name, index: place.index } };
  }
}
