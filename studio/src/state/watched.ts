/** What is said of a followed photo, and how sure the network was of what is true. */
import type { EpochEvent, Photo } from '../api/types';
import { trail, winner } from './history';

interface Told {
  predicted: string | null;
  /** of what is said; of several labels of the one that it is least sure of */
  probability: number | null;
}

/** In words, as the server says it of a finished run. */
export function told(
  probabilities: readonly number[] | undefined,
  classes: readonly string[],
  isSeveral: boolean
): Told {
  if (!probabilities) return { predicted: null, probability: null };
  if (!isSeveral) {
    const best = winner(probabilities);
    return { predicted: classes[best] ?? null, probability: probabilities[best] ?? null };
  }
  const names = classes.filter((_, i) => probabilities[i]! >= 0.5);
  return {
    predicted: names.join(', ') || 'no label',
    probability: Math.min(...probabilities.map((p) => Math.max(p, 1 - p)))
  };
}

/** The probability of the right answer epoch by epoch; of several labels the smallest of theirs. */
export function sureness(
  epochs: readonly EpochEvent[],
  photo: Photo,
  classes: readonly string[]
): (number | null)[] {
  const { id, label, labels } = photo;
  if (!labels) return trail(epochs, id, classes.indexOf(label ?? ''));
  return epochs.map(({ watched }) => {
    const said = watched.find((one) => one.photo === id)?.probabilities;
    if (!said) return null;
    return Math.min(...said.map((p, i) => (labels.includes(classes[i]!) ? p : 1 - p)));
  });
}
