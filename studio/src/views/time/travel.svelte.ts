/** A run through time: its moments, where the slider stands, and the numbers of every frame. */
import { createContext } from 'svelte';
import { refusal, type Refused, type Tensor } from '../../api/ask';
import { api } from '../../api/client';
import { follow } from '../../api/events';
import type {
  MomentMessage,
  MomentsMessage,
  PhotoMomentsMessage,
  RunDetail,
  TimelineMessage
} from '../../api/types';
import { stepOf } from '../../state/place';
import type { Route } from '../../state/route.svelte';
import { Player } from '../look/player.svelte';
import { choices, nearestTo, type Choice } from './moments';

/** All frames of one layer: moments first. */
export interface Frames {
  key: string;
  choice: Choice;
  tensor: Tensor;
}

export const mostUnits = 32; // of a layer that are drawn
const settled_ms = 300; // the address follows when the slider rests
const live_ms = 1500; // how often a run that learns is asked for new moments

export class Travel {
  readonly run: string;
  #route: Route;
  detail = $state.raw<RunDetail | null>(null);
  told = $state.raw<MomentsMessage | null>(null);
  photoMoments = $state.raw<PhotoMomentsMessage | null>(null);
  timeline = $state.raw<TimelineMessage | null>(null);
  positions = $state.raw<Tensor | null>(null);
  kernels = $state.raw<Frames | null>(null);
  maps = $state.raw<Frames | null>(null);
  refused = $state.raw<Refused | null>(null);
  isLive = $state(false);
  readonly player: Player;
  #moved = $state<number | null>(null);
  #settling: ReturnType<typeof setTimeout> | undefined;
  #asking: ReturnType<typeof setTimeout> | undefined;

  constructor(run: string, route: Route) {
    this.run = run;
    this.#route = route;
    this.player = new Player(() => this.#advance());
    this.player.faster(1);
  }

  moments: readonly MomentMessage[] = $derived(this.told?.moments ?? []);
  photo: string | undefined = $derived.by(() => this.#route.current.photo);

  /** which moment is shown; the newest without a step in the address */
  index: number = $derived.by(() => {
    const last = this.moments.length - 1;
    if (this.#moved !== null) return Math.min(last, this.#moved);
    const step = stepOf(this.#route.current.query);
    return step === undefined ? last : nearestTo(this.moments, step);
  });
  moment: MomentMessage | null = $derived(this.moments[this.index] ?? null);

  choices: Choice[] = $derived(choices(this.detail?.layers ?? [], this.told?.kept ?? []));
  choice: Choice | null = $derived.by(() => {
    const named = this.#route.current.query['layer'];
    return this.choices.find(({ layer }) => layer === named) ?? this.choices[0] ?? null;
  });

  // ------------------------------------------------------------ acts

  /** Moves the slider; the address follows when it rests. */
  move(index: number): void {
    this.#moved = Math.max(0, Math.min(this.moments.length - 1, index));
    this.#rest();
  }

  pause(): void {
    this.player.pause();
    this.#rest();
  }

  /** The moment with this step, as a click on a curve or on a photo asks for. */
  moveTo(step: number): void {
    this.pause();
    this.move(nearestTo(this.moments, step));
  }

  toggle(): void {
    if (!this.player.isPlaying && this.index >= this.moments.length - 1) this.#moved = 0;
    this.player.toggle();
    this.#rest();
  }

  choose(layer: string): void {
    const place = this.#route.current;
    this.#route.go({ ...place, query: { ...place.query, layer } }, 'replace');
  }

  // ------------------------------------------------------------ answers

  /** Reads what there is, and follows a run that learns; the returned function ends it. */
  open(): () => void {
    void this.#read();
    let leave = () => {};
    void api.run(this.run).then(
      (detail) => {
        this.detail = detail;
        const { state } = detail.summary;
        if (state === 'training' || state === 'waiting') leave = this.#follow();
      },
      (thrown) => (this.refused = refusal(thrown))
    );
    return () => {
      leave();
      this.player.pause();
      clearTimeout(this.#settling);
      clearTimeout(this.#asking);
    };
  }

  /** Every frame of the chosen layer, and of its maps for the photo; called from an effect. */
  async loadFrames(signal: AbortSignal): Promise<void> {
    const { choice, photo, moments, told } = this;
    if (!choice || !moments.length) return;
    const now = `${choice.layer}/${moments.length}`;
    const unit = choice.units > mostUnits ? [...Array(mostUnits).keys()] : [];
    await this.#try(signal, async () => {
      if (this.kernels?.key !== now) {
        const of = { layer: choice.layer, unit };
        const tensor = await api.kernelsOverTime(this.run, of, signal);
        this.kernels = { key: now, choice, tensor };
      }
      if (!photo || !told?.is_whole) return;
      const of = { layer: choice.maps, unit };
      const tensor = await api.mapsOverTime(this.run, photo, of, signal);
      this.maps = { key: `${photo}/${now}`, choice, tensor };
    });
  }

  async loadPhoto(signal: AbortSignal): Promise<void> {
    const { photo, moments, told } = this;
    if (!photo || !moments.length || !told?.is_whole) return;
    await this.#try(signal, async () => {
      this.photoMoments = await api.photoMoments(this.run, photo, signal);
    });
  }

  /** The photos in feature space: what takes longest, and waits until the rest stands there. */
  async loadTimeline(signal: AbortSignal): Promise<void> {
    if (!this.moments.length || !this.told?.is_whole || !this.photoMoments) return;
    await this.#try(signal, async () => {
      const timeline = await api.timeline(this.run, signal);
      this.positions = await api.positions(this.run, signal);
      this.timeline = timeline;
    });
  }

  // ------------------------------------------------------------ inside

  async #try(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      if (!signal.aborted) this.refused = refusal(thrown);
    }
  }

  async #read(): Promise<void> {
    try {
      const told = await api.moments(this.run);
      if (told.moments.length !== this.told?.moments.length) this.told = told;
    } catch (thrown) {
      this.refused = refusal(thrown);
    }
  }

  #follow(): () => void {
    this.isLive = true;
    return follow(this.run, {
      event: ({ kind }) => {
        if (kind === 'end') this.isLive = false;
        this.#asking ??= setTimeout(
          () => {
            this.#asking = undefined;
            void this.#read();
          },
          kind === 'end' ? 0 : live_ms
        );
      }
    });
  }

  #advance(): void {
    if (this.index + 1 < this.moments.length) this.move(this.index + 1);
    else if (!this.isLive) this.pause();
  }

  #rest(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settle(), settled_ms);
  }

  #settle(): void {
    const place = this.#route.current;
    const { moment } = this;
    if (this.#moved === null || place.view !== 'time' || !moment || this.player.isPlaying) return;
    const { step: _, ...query } = place.query;
    const isLast = this.index === this.moments.length - 1;
    const now = isLast ? query : { ...query, step: String(moment.step) };
    this.#route.go({ ...place, query: now }, 'replace');
    this.#moved = null;
  }
}

export const [travelOf, provideTravel] = createContext<Travel>();
