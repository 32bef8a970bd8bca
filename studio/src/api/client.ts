/**
 * All that the studio asks the server. One function a route; what comes back is typed by `types.ts`,
 * arrays are Float32Array, and a refusal is a `Refused` (`ask.ts`).
 */
import { address, ask, json, pixels, tensor, whole, type Query } from './ask';
import type {
  BackwardMessage,
  ComparisonMessage,
  DisagreementList,
  EquationMessage,
  GradientCheckMessage,
  LearningStepMessage,
  MatchingMessage,
  MomentsMessage,
  OpenedMessage,
  Photo,
  PhotoList,
  PhotoMomentsMessage,
  PhotoPairMessage,
  PredictionMessage,
  PullsMessage,
  RangeTestMessage,
  ReportMessage,
  SeveralReportMessage,
  RunDetail,
  RunSummary,
  TimelineMessage,
  TraceMessage,
  UpdateMessage,
  WhatIfMessage,
  WhatIfQuestion,
  WindowMessage
} from './types';

export interface PhotoQuery extends Query {
  split?: string;
  label?: string;
  predicted?: string;
  order?: 'sure' | 'unsure' | 'file' | 'mixed';
  limit?: number;
  offset?: number;
}

export interface CellQuery extends Query {
  layer: string;
  unit: number;
  row?: number | null;
  column?: number | null;
  weights_sha256?: string;
  /** a moment of the run; undefined: now */
  step?: number | undefined;
}

/** The loss of which class, and of which weights. */
export interface LossQuery extends Query {
  label: string;
  weights_sha256: string;
  step?: number | undefined;
}

/** One learned number: its place in a layer's weight or bias. */
export interface NumberQuery extends LossQuery {
  layer: string;
  name: string;
  index: readonly number[];
}

/** Some units of a layer, or all where none is named. */
export interface UnitsQuery extends Query {
  layer: string;
  unit: readonly number[];
}

/**
 * `learning_rate`: undefined for the recipe's peak, or on the run's batch its own; `memory`: the
 * optimizer's, undefined if empty; `batch`: undefined for the photo alone; `steps`: undefined for one
 */
export interface StepQuery extends LossQuery {
  learning_rate?: number;
  memory?: 'run';
  batch?: 'run';
  steps?: number;
}

/** One learned number in a step, by its name in the state dict. */
export interface StepNumberQuery extends StepQuery {
  name: string;
  index: readonly number[];
}

/** What is asked of a training; what is left out stays as it is. */
export interface Steering extends Query {
  is_paused?: boolean;
  /** times the planned learning rate, from the next step on */
  rate_factor?: number;
}

/** What another training does otherwise; what is left out stays as it is. */
export interface Again extends Query {
  peak_lr?: number;
  epochs?: number;
  seed?: number;
}

/** Moments of two runs that are compared. */
export interface StepsQuery extends Query {
  step?: number;
  other_step?: number;
}

export interface DisagreementQuery extends StepsQuery {
  right?: string;
  limit?: number;
}

const photoPath = (run: string, photo: string) => ['runs', run, 'photos', photo] as const;

const picture = (file: Blob, name: string): RequestInit => ({
  method: 'POST',
  body: file,
  headers: { 'X-Photo-Name': encodeURIComponent(name), 'Content-Type': file.type || 'image/*' }
});

export const api = {
  window: (signal?: AbortSignal) => json<WindowMessage>(address(['window']), { signal }),
  runs: (signal?: AbortSignal) => json<RunSummary[]>(address(['runs']), { signal }),
  /** networks that were opened to be looked at and are no runs */
  opened: (signal?: AbortSignal) => json<OpenedMessage[]>(address(['opened']), { signal }),
  run: (run: string, signal?: AbortSignal) => json<RunDetail>(address(['runs', run]), { signal }),
  stop: (run: string) => json<RunSummary>(address(['runs', run, 'stop']), { method: 'POST' }),
  steer: (run: string, wish: Steering) =>
    json<RunSummary>(address(['runs', run, 'steer'], wish), { method: 'POST' }),
  /** a new run like this one, but for what is given; it trains on its own */
  again: (run: string, changes: Again) =>
    json<RunSummary>(address(['runs', run, 'again'], changes), { method: 'POST' }),
  /** the network with these changes as a run of its own */
  keep: (run: string, change: WhatIfQuestion) =>
    json<RunSummary>(address(['runs', run, 'keep']), {
      method: 'POST',
      body: JSON.stringify(change),
      headers: { 'Content-Type': 'application/json' }
    }),
  /** where the run's newest range test of learning rates stands */
  rangeTest: (run: string, signal?: AbortSignal) =>
    json<RangeTestMessage>(address(['runs', run, 'range-test']), { signal }),
  startRangeTest: (run: string) =>
    json<RangeTestMessage>(address(['runs', run, 'range-test']), { method: 'POST' }),
  stopRangeTest: (run: string) =>
    json<RangeTestMessage>(address(['runs', run, 'range-test', 'stop']), { method: 'POST' }),
  /** address of the event stream of its newest range test */
  rangeTestEvents: (run: string) => address(['runs', run, 'range-test', 'events']),
  report: (run: string, signal?: AbortSignal) =>
    json<ReportMessage | SeveralReportMessage>(address(['runs', run, 'report']), { signal }),
  photos: (run: string, query: PhotoQuery = {}, signal?: AbortSignal) =>
    json<PhotoList>(address(['runs', run, 'photos'], query), { signal }),
  photo: (run: string, photo: string, signal?: AbortSignal) =>
    json<Photo>(address(photoPath(run, photo)), { signal }),
  drop: (run: string, file: File) =>
    json<Photo>(address(['runs', run, 'photos']), picture(file, file.name)),
  /** address of a PNG: as the network gets it, or in the file's own size */
  image: (run: string, photo: string, size: 'fitted' | 'full' = 'fitted') =>
    address([...photoPath(run, photo), 'image'], { fitted: size === 'fitted' }),
  /** the pixels that the network reads */
  pixels: (run: string, photo: string, signal?: AbortSignal) =>
    pixels(address([...photoPath(run, photo), 'image'], { fitted: true }), signal),
  /** address of the event stream of a run's log */
  events: (run: string, after?: number) => address(['runs', run, 'events'], { after }),
  /** `step`: as the network was at that moment of its training; left out: as it is now */
  trace: (run: string, photo: string, signal?: AbortSignal, step?: number) =>
    json<TraceMessage>(address([...photoPath(run, photo), 'trace'], { step }), { signal }),
  /** `weights`: the trace's `weights_sha256`, so that both belong to the same network while it learns */
  activations: (
    run: string,
    photo: string,
    weights?: string,
    signal?: AbortSignal,
    step?: number
  ) => {
    const query = { weights_sha256: weights, step };
    return tensor(address([...photoPath(run, photo), 'activations'], query), signal);
  },
  equation: (run: string, photo: string, cell: CellQuery, signal?: AbortSignal) =>
    json<EquationMessage>(address([...photoPath(run, photo), 'equation'], cell), { signal }),
  partials: (run: string, photo: string, of: CellQuery, signal?: AbortSignal) =>
    tensor(address([...photoPath(run, photo), 'partials'], of), signal),
  backward: (run: string, photo: string, of: LossQuery, signal?: AbortSignal) =>
    json<BackwardMessage>(address([...photoPath(run, photo), 'backward'], of), { signal }),
  /** the gradient of the loss at the photo and at every layer; `backward` says what lies where */
  gradients: (run: string, photo: string, of: LossQuery, signal?: AbortSignal) =>
    tensor(address([...photoPath(run, photo), 'gradients'], of), signal),
  gradientEquation: (run: string, photo: string, of: LossQuery & CellQuery, signal?: AbortSignal) =>
    json<EquationMessage>(address([...photoPath(run, photo), 'gradient-equation'], of), { signal }),
  parameterGradients: (
    run: string,
    photo: string,
    of: LossQuery & { layer: string; name: string },
    signal?: AbortSignal
  ) => tensor(address([...photoPath(run, photo), 'parameter-gradients'], of), signal),
  parameterEquation: (run: string, photo: string, of: NumberQuery, signal?: AbortSignal) =>
    json<EquationMessage>(address([...photoPath(run, photo), 'parameter-equation'], of), {
      signal
    }),
  /** the gradient of one weight, tried by moving it; `name` as in the state dict */
  gradientCheck: (
    run: string,
    photo: string,
    of: LossQuery & { name: string; index: readonly number[] },
    signal?: AbortSignal
  ) =>
    json<GradientCheckMessage>(address([...photoPath(run, photo), 'gradient-check'], of), {
      signal
    }),
  learningStep: (run: string, photo: string, of: StepQuery, signal?: AbortSignal) =>
    json<LearningStepMessage>(address([...photoPath(run, photo), 'learning-step'], of), { signal }),
  activationsAfter: (run: string, photo: string, of: StepQuery, signal?: AbortSignal) =>
    tensor(address([...photoPath(run, photo), 'activations-after'], of), signal),
  learningUpdate: (run: string, photo: string, of: StepNumberQuery, signal?: AbortSignal) =>
    json<UpdateMessage>(address([...photoPath(run, photo), 'learning-update'], of), { signal }),
  /** the parameter before the step, and behind it its gradient */
  learningParameter: (
    run: string,
    photo: string,
    of: StepQuery & { name: string },
    signal?: AbortSignal
  ) => tensor(address([...photoPath(run, photo), 'learning-parameter'], of), signal),
  /** the address of the photos of a step's batch, side by side */
  learningPhotos: (run: string, photo: string, of: StepQuery) =>
    address([...photoPath(run, photo), 'learning-photos'], of),
  learningPulls: (run: string, photo: string, of: StepNumberQuery, signal?: AbortSignal) =>
    json<PullsMessage>(address([...photoPath(run, photo), 'learning-pulls'], of), { signal }),
  /** what becomes of it, and every layer's output at the trace's offsets; then the altered photo */
  whatIf: (run: string, photo: string, question: WhatIfQuestion, signal?: AbortSignal) =>
    whole<WhatIfMessage>(address([...photoPath(run, photo), 'what-if', 'whole']), {
      method: 'POST',
      body: JSON.stringify(question),
      headers: { 'Content-Type': 'application/json' },
      signal
    }),
  weights: (
    run: string,
    layer: string,
    part: 'weight' | 'bias' = 'weight',
    signal?: AbortSignal,
    step?: number
  ) => {
    const query = { layer, part: part === 'bias' ? part : undefined, step };
    return tensor(address(['runs', run, 'weights'], query), signal);
  },
  moments: (run: string, signal?: AbortSignal) =>
    json<MomentsMessage>(address(['runs', run, 'moments']), { signal }),
  /** what the second run learned differently; `at`: the step of either */
  comparison: (run: string, other: string, at: StepsQuery, signal?: AbortSignal) =>
    json<ComparisonMessage>(address(['runs', run, 'compare', other], at), { signal }),
  /** which unit of the second does what each unit of the first does */
  matching: (run: string, other: string, at: StepsQuery, signal?: AbortSignal) =>
    json<MatchingMessage>(address(['runs', run, 'compare', other, 'matching'], at), { signal }),
  /** the test photos of which they name different classes */
  comparisonPhotos: (run: string, other: string, of: DisagreementQuery, signal?: AbortSignal) =>
    json<DisagreementList>(address(['runs', run, 'compare', other, 'photos'], of), { signal }),
  /** the same photo for both, whatever each calls it */
  comparisonPhoto: (run: string, other: string, photo: string, signal?: AbortSignal) =>
    json<PhotoPairMessage>(address(['runs', run, 'compare', other, 'photos', photo]), { signal }),
  /** a layer's weights at every moment: one axis more than `weights`, first */
  kernelsOverTime: (run: string, of: UnitsQuery, signal?: AbortSignal) =>
    tensor(address(['runs', run, 'moments', 'kernels'], of), signal),
  timeline: (run: string, signal?: AbortSignal) =>
    json<TimelineMessage>(address(['runs', run, 'moments', 'timeline']), { signal }),
  /** where the timeline's photos stand in feature space: moments, photos, 2 */
  positions: (run: string, signal?: AbortSignal) =>
    tensor(address(['runs', run, 'moments', 'positions']), signal),
  photoMoments: (run: string, photo: string, signal?: AbortSignal) =>
    json<PhotoMomentsMessage>(address([...photoPath(run, photo), 'moments']), { signal }),
  /** a layer's output at every moment, of these units */
  /** a GIF of every moment: what the network said of the photo, kernels of a layer, and maps */
  film: async (run: string, photo: string, layer: string | undefined, signal?: AbortSignal) => {
    const path = address([...photoPath(run, photo), 'moments', 'film'], { layer });
    return (await ask(path, { signal })).blob();
  },
  mapsOverTime: (run: string, photo: string, of: UnitsQuery, signal?: AbortSignal) =>
    tensor(address([...photoPath(run, photo), 'moments', 'maps'], of), signal),
  predict: (run: string, file: File) =>
    json<PredictionMessage>(address(['runs', run, 'predict']), picture(file, file.name))
};
