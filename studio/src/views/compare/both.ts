/** One photo in two networks, and the same photo in both of them otherwise. */
import type { Tensor } from '../../api/ask';
import { api } from '../../api/client';
import type { LayerMatchMessage, LearningStepMessage } from '../../api/types';
import { Scene } from '../look/scene';

export interface Both {
  /** the photo and weights that these belong to */
  key: string;
  first: Scene;
  second: Scene;
  /** the moments of both; undefined: now */
  steps: readonly [number | undefined, number | undefined];
}

/** The same tensor of both sides. */
export interface Tensors {
  key: string;
  first: Tensor;
  second: Tensor;
}

/** One of the two with something otherwise: after a step, or with another photo. */
export interface Turned {
  after: Scene;
  /** after minus before */
  change: Scene;
}

/** What became of both when the same was done to them. */
export interface Otherwise {
  key: string;
  of: Both;
  first: Turned;
  second: Turned;
  /** what a step did; null where the photo was changed */
  steps: readonly [LearningStepMessage, LearningStepMessage] | null;
}

export const turns = ['change', 'after'] as const;
export type Turn = (typeof turns)[number];

/** The scenes that are drawn of it. */
export const drawnOf = (found: Otherwise, turn: Turn) => ({
  first: found.first[turn],
  second: found.second[turn]
});

/** A network, as it is now or was at a step. */
interface State {
  run: string;
  step: number | undefined;
}

/** The same photo in both, by its name in the first one's photos. */
export async function bothOf(
  one: State,
  other: State,
  photo: string,
  signal: AbortSignal
): Promise<Both> {
  const pair = await api.comparisonPhoto(one.run, other.run, photo, signal);
  const [first, second] = await Promise.all([
    sceneOf(one, pair.photo.id, signal),
    sceneOf(other, pair.other_photo.id, signal)
  ]);
  const key = `${photo} ${first.trace.weights_sha256} ${second.trace.weights_sha256}`;
  return { key, first, second, steps: [one.step, other.step] };
}

async function sceneOf({ run, step }: State, photo: string, signal: AbortSignal): Promise<Scene> {
  const trace = await api.trace(run, photo, signal, step);
  const [activations, pixels] = await Promise.all([
    api.activations(run, photo, trace.weights_sha256, signal, step),
    api.pixels(run, photo, signal)
  ]);
  return new Scene(trace, activations.values, pixels);
}

/** The photo as a pair of layers whose units are its colours. */
export function photoMatch(first: Scene, second: Scene): LayerMatchMessage {
  const [one, other] = [first.layer('photo'), second.layer('photo')];
  return {
    first: 'photo',
    second: 'photo',
    kind: 'photo',
    how: 'colours',
    units: [0, 1, 2],
    num_second: 3,
    similarity: [null, null, null],
    mean_similarity: null,
    measured_at: null,
    has_equal_maps: String(one?.shape) === String(other?.shape),
    channels: null,
    distance: null,
    weights_layer: null,
    why: null,
    why_no_kernels: null
  };
}
