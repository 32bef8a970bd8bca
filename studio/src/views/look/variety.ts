/** A handful of photos of every class in turns, so that the strip is not all of one kind. */
import { api } from '../../api/client';
import type { Photo } from '../../api/types';

/** Of a run its test photos; of an opened network those it was opened with. */
export const variety = async (run: string, most: number): Promise<Photo[]> =>
  (await api.photos(run, { order: 'mixed', limit: most })).photos;
