/** The way back: of which loss, and the answers that belong to it. Steps of learning: `steps`. */
import { createContext, untrack } from 'svelte';
import { refusal, type Refused, type Tensor } from '../../../api/ask';
import { api, type LossQuery } from '../../../api/client';
import { Latest } from '../../../api/latest';
import type {
  BackwardMessage,
  EquationMessage,
  GradientCheckMessage,
  TracedLayerMessage
} from '../../../api/types';
import type { Route } from '../../../state/route.svelte';
import type { Look, Selected } from '../look.svelte';
import type { Scene } from '../scene';
import {
  byChange,
  changed,
  fits,
  indexOf,
  largestOf,
  modeOf,
  placeOf,
  placeText,
  queryOf,
  type Mode,
  type Place
} from './figures';
import { gradientScene } from './gradients';
import { Steps, type Ground } from './steps.svelte';
import { named, truthOf, type Truth } from './truth';

export interface Back {
  key: string;
  message: BackwardMessage;
  /** the activations that it belongs to */
  of: Scene;
  scene: Scene;
}

/** One learned tensor of a layer, and what came back to it. */
export interface Part {
  layer: string;
  name: string;
  weights: Tensor;
  gradient: Tensor;
}

export const sides = ['before', 'after', 'difference'] as const;
export type Side = (typeof sides)[number];

interface Keyed<Message> {
  key: string;
  message: Message;
}

export class Learn {
  #run: string;
  #route: Route;
  #look: Look;

  back = $state.raw<Back | null>(null);
  equation = $state.raw<Keyed<EquationMessage> | null>(null);
  parts = $state.raw<{ key: string; parts: Part[] } | null>(null);
  weightEquation = $state.raw<Keyed<EquationMessage> | null>(null);
  /** what was refused, by what was asked */
  refused = $state.raw<Partial<Record<Asked, Refused | null>>>({});

  readonly steps: Steps;

  #backs = new Latest<Back>(12);
  #equations = new Latest<EquationMessage>();
  #parts = new Latest<Part[]>(24);
  #weightEquations = new Latest<EquationMessage>();

  constructor(run: string, route: Route, look: Look) {
    this.#run = run;
    this.#route = route;
    this.#look = look;
    this.steps = new Steps(this.#ground());
    look.through = () =>
      this.isBackCurrent && this.mode === 'Backwards' ? this.back!.scene : null;
  }

  #query = $derived.by(() => this.#route.current.query);
  mode: Mode = $derived.by(() => modeOf(this.#query));
  side: Side = $derived(sides.find((side) => side === this.#query['maps']) ?? 'before');

  #truth: Truth | null = $derived.by(() => {
    const trace = this.#look.scene?.trace;
    return trace ? truthOf(trace, this.#query['truth']) : null;
  });

  /** The class that is taken for the true one; of several labels those, as in an address. */
  get truth(): string | null {
    return this.#truth?.text ?? null;
  }

  /** Nobody has named it: what the network itself says stands for it. */
  get isAssumed(): boolean {
    return this.#truth?.isAssumed ?? false;
  }

  /** Their places among the classes. */
  truths: number[] = $derived.by(() => {
    const trace = this.#look.scene?.trace;
    const there = trace?.is_several ? named(this.truth ?? '') : [this.truth];
    return (trace?.classes ?? []).flatMap((name, i) => (there.includes(name) ? [i] : []));
  });

  /** Whose weights are shown: the selected unit's, or of the layer below that learned some. */
  subject: Selected | null = $derived.by(() => {
    const { scene } = this.#look;
    const back = this.back?.message;
    if (!scene || !back || this.mode === 'Forwards') return null;
    const learns = (layer: TracedLayerMessage) =>
      back.parameters.some((p) => p.layer === layer.name);
    const { selected } = this.#look;
    if (this.mode === 'Backwards') return selected && learns(selected.layer) ? selected : null;
    if (!selected) return this.#liveliest(scene);
    for (let at: TracedLayerMessage | undefined = selected.layer; at; at = scene.before(at)) {
      if (learns(at)) {
        const unit = at.shape[0] === selected.layer.shape[0] ? selected.unit : 0;
        return { layer: at, unit };
      }
    }
    return null;
  });

  /** The learned number that is taken apart. */
  place: Place | null = $derived.by(() => {
    const { subject, current } = this;
    if (!subject || !current) return null;
    const said = placeOf(this.#query['weight']);
    const part = current.find((p) => p.name === said?.name);
    if (said && part && fits(said, part.gradient.shape) && said.index[0] === subject.unit)
      return said;
    const [first] = current;
    if (this.mode === 'Backwards' || !first) return null;
    const { values, shape } = first.gradient;
    return { name: first.name, index: indexOf(largestOf(values, shape, subject.unit), shape) };
  });

  /** What the network is drawn with; until it is there, what it was drawn with before. */
  painted: { scene: Scene; what: string } | null = $derived.by(() => {
    const { scene } = this.#look;
    if (!scene) return null;
    const forwards = { scene, what: '' };
    if (this.mode === 'Forwards') return forwards;
    if (this.mode === 'Backwards')
      return this.back?.of === scene
        ? { scene: this.back.scene, what: 'gradient of the loss' }
        : forwards;
    const { stepped, times } = this.steps;
    if (this.side === 'before' || !stepped) return forwards;
    return this.side === 'after'
      ? { scene: stepped.after, what: times > 1 ? `after ${times} steps` : 'after the step' }
      : { scene: stepped.change, what: 'after − before' };
  });

  isBackCurrent = $derived.by(() => this.back !== null && this.back.key === this.#backKey());

  /** The subject's tensors, when they are there. */
  get current(): Part[] | null {
    const { subject, parts } = this;
    if (!subject || !parts?.key.startsWith(`${subject.layer.name}/`)) return null;
    const isOwn = parts.key.startsWith(`${subject.layer.name}/step/`);
    return isOwn === this.#isStep ? parts.parts : null;
  }

  /** Whether the tensors that stand there are those of the loss that is asked for. */
  get isCurrent(): boolean {
    return this.isBackCurrent && this.current !== null && this.parts?.key === this.#partsKey();
  }

  /** Whether weights and gradients are those of the last step, not of the photo as it is. */
  get #isStep(): boolean {
    return this.mode === 'One step' && this.steps.isOwn;
  }

  // ------------------------------------------------------------ acts

  turn(mode: Mode, how: 'push' | 'replace' = 'push'): void {
    this.#go(queryOf(mode), how);
  }

  choose(truth: string): void {
    this.#go({ truth }, 'push');
  }

  show(side: Side): void {
    this.#go({ maps: side === 'before' ? undefined : side }, 'replace');
  }

  /** Takes a learned number apart; null: no longer. */
  pick(place: Place | null): void {
    this.#go({ weight: place ? placeText(place) : undefined }, 'push');
  }

  // ------------------------------------------------------------ answers; called from effects

  askBack(): void {
    const key = this.#backKey();
    const { scene } = this.#look;
    const of = this.#loss();
    if (this.mode === 'Forwards' || !scene || !of || key === null) return;
    const { photo } = scene.trace;
    const fetch = async (signal: AbortSignal): Promise<Back> => {
      const [message, found] = await Promise.all([
        api.backward(this.#run, photo.id, of, signal),
        api.gradients(this.#run, photo.id, of, signal)
      ]);
      return { key, message, of: scene, scene: gradientScene(scene, message, found.values) };
    };
    this.#ask('back', this.#backs, key, fetch, (back) => (this.back = back));
  }

  askEquation(): void {
    const { scene, selected, cell } = this.#look;
    const of = this.#loss();
    if (this.mode !== 'Backwards' || !scene || !selected || !of || !this.isBackCurrent) return;
    const query = { ...of, layer: selected.layer.name, unit: selected.unit, ...cell };
    const key = [this.#backKey(), query.layer, query.unit, cell?.row, cell?.column].join('/');
    const fetch = (signal: AbortSignal) =>
      api.gradientEquation(this.#run, scene.trace.photo.id, query, signal);
    const tell = (message: EquationMessage) => (this.equation = { key, message });
    this.#ask('equation', this.#equations, key, fetch, tell);
  }

  askParts(): void {
    const { subject, back } = this;
    const of = this.#loss();
    const { scene } = this.#look;
    if (!subject || !back || !of || !scene || !this.isBackCurrent) return;
    const layer = subject.layer.name;
    const isOwn = this.#isStep;
    const { steps } = this;
    if (isOwn && (!steps.isCurrent || steps.isPlaying)) return;
    const key = this.#partsKey();
    if (key === null) return;
    const photo = scene.trace.photo.id;
    const learned = steps.step?.message.parameters.map(({ name }) => name) ?? [];
    const fetch = (signal: AbortSignal) =>
      Promise.all(
        back.message.parameters
          .filter((p) => p.layer === layer)
          .filter(({ name }) => !isOwn || learned.includes(this.nameOf(layer, name)))
          .map(async ({ name }): Promise<Part> => {
            const kind = name === 'bias' ? 'bias' : 'weight';
            const [weights, gradient] = isOwn
              ? await steps.parameter(this.nameOf(layer, name), signal)
              : await Promise.all([
                  api.weights(this.#run, layer, kind, signal, of.step),
                  api.parameterGradients(this.#run, photo, { ...of, layer, name }, signal)
                ]);
            return { layer, name, weights, gradient };
          })
      );
    this.#ask('parts', this.#parts, key, fetch, (parts) => (this.parts = { key, parts }));
  }

  askWeightEquation(): void {
    const { subject, place } = this;
    const of = this.#loss();
    const { scene } = this.#look;
    if (this.mode !== 'Backwards' || !subject || !place || !of || !scene) return;
    const query = { ...of, layer: subject.layer.name, ...place };
    const key = [this.#backKey(), query.layer, placeText(place)].join('/');
    const fetch = (signal: AbortSignal) =>
      api.parameterEquation(this.#run, scene.trace.photo.id, query, signal);
    const tell = (message: EquationMessage) => (this.weightEquation = { key, message });
    this.#ask('weight', this.#weightEquations, key, fetch, tell);
  }

  /** The gradient of the weight of this equation, tried by moving the weight. */
  async check(
    { layer, parameter, index }: EquationMessage,
    signal: AbortSignal
  ): Promise<GradientCheckMessage | null> {
    const of = this.#loss();
    const { scene } = this.#look;
    if (!of || !scene || !parameter) return null;
    const query = { ...of, name: this.nameOf(layer, parameter), index };
    return api.gradientCheck(this.#run, scene.trace.photo.id, query, signal);
  }

  /** As in the state dict; a layer that is used twice learns one weight. */
  nameOf(layer: string, part: string): string {
    return `${layer.replace(/:\d+$/, '')}.${part}`;
  }

  // ------------------------------------------------------------ inside

  #partsKey(): string | null {
    const { subject, back } = this;
    const of = this.#isStep ? `step/${this.steps.key}` : back?.key;
    return subject && of !== undefined ? `${subject.layer.name}/${of}` : null;
  }

  /** Without a selection: the unit to whose layer the step does most. */
  #liveliest(scene: Scene): Selected | null {
    const found = this.steps.step ? byChange(this.steps.step.message.parameters) : [];
    for (const { name } of found) {
      const layer = scene.layer(name.replace(/\.\w+$/, ''));
      if (layer && name.endsWith('.weight')) return { layer, unit: 0 };
    }
    return null;
  }

  #backKey(): string | null {
    const trace = this.#look.scene?.trace;
    return trace && this.truth
      ? [trace.photo.id, trace.weights_sha256, this.truth].join('/')
      : null;
  }

  #loss(): LossQuery | null {
    const trace = this.#look.scene?.trace;
    if (!trace || !this.truth) return null;
    const { weights_sha256 } = trace;
    return { label: this.truth, weights_sha256, step: this.#look.sceneStep };
  }

  #ground(): Ground {
    const [learn, look, route] = [this, this.#look, this.#route];
    return {
      run: this.#run,
      get view() {
        return route.current.view;
      },
      get query() {
        return route.current.query;
      },
      get scene() {
        return look.scene;
      },
      get isNewest() {
        return look.isRun && look.sceneStep === undefined;
      },
      isRun: look.isRun,
      get loss() {
        const [query, key] = [learn.#loss(), learn.#backKey()];
        return query && key !== null ? { key, query } : null;
      },
      get isStepping() {
        return learn.mode === 'One step';
      },
      get weight() {
        const { subject, place } = learn;
        return subject && place && { name: learn.nameOf(subject.layer.name, place.name), place };
      },
      ask: (...question) => learn.#ask(...question),
      go: (to, how) => learn.#go(to, how)
    };
  }

  #ask<Answer>(
    what: Asked,
    latest: Latest<Answer>,
    key: string,
    fetch: (signal: AbortSignal) => Promise<Answer>,
    tell: (answer: Answer) => void
  ): void {
    const say = (problem: Refused | null) => {
      if (untrack(() => this.refused)[what] !== problem)
        this.refused = { ...untrack(() => this.refused), [what]: problem };
    };
    latest.ask(
      key,
      fetch,
      (answer) => {
        say(null);
        tell(answer);
      },
      (thrown) => say(refusal(thrown))
    );
  }

  #go(to: Record<string, string | undefined>, how: 'push' | 'replace'): void {
    const place = this.#route.current;
    this.#route.go({ ...place, query: changed(place.query, to) }, how);
  }
}

export type Asked =
  'back' | 'equation' | 'parts' | 'weight' | 'step' | 'after' | 'update' | 'pulls';

export const [learnOf, provideLearn] = createContext<Learn>();
