/** Every place in the studio as an address, and back. Pure; `route.svelte.ts` ties it to the history. */

export type ViewName = 'photos' | 'train' | 'look' | 'try' | 'sandbox' | 'report' | 'runs';

export interface Cell {
  row: number;
  column: number;
}

export interface Place {
  view: ViewName | 'home';
  run?: string;
  photo?: string;
  layer?: string;
  unit?: number;
  cell?: Cell;
  /** what stands behind the question mark: label, predicted, scale, … */
  query: Readonly<Record<string, string>>;
}

const views: readonly string[] = ['photos', 'train', 'look', 'try', 'sandbox', 'report', 'runs'];

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

function cellOf(text: string | undefined): Cell | undefined {
  const [row, column, more] = (text ?? '').split(',').map(whole);
  if (row === undefined || column === undefined || more !== undefined) return undefined;
  return { row, column };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** An unknown address is home, never an error. */
export function parse(path: string, search = ''): Place {
  const query = Object.fromEntries(new URLSearchParams(search));
  const [view, run, photo, layer, unit, cell] = path.split('/').filter(Boolean).map(decoded);
  if (!view || !views.includes(view)) return { view: 'home', query };
  const place: Place = { view: view as ViewName, query };
  if (view === 'runs') return place;
  if (run) place.run = run;
  if (view !== 'look' && view !== 'try') return place;
  if (photo) place.photo = photo;
  if (view === 'try') return place;
  if (photo && layer) place.layer = layer;
  if (place.layer && whole(unit) !== undefined) place.unit = whole(unit);
  if (place.unit !== undefined && cellOf(cell)) place.cell = cellOf(cell);
  return place;
}

/** Parts after a missing one are left out, since they would say something else. */
export function href(place: Omit<Place, 'query'> & { query?: Place['query'] }): string {
  const { view, run, photo, layer, unit, cell } = place;
  const parts: (string | undefined)[] = [view === 'home' ? undefined : view];
  if (view !== 'runs') parts.push(run);
  if (view === 'look') {
    parts.push(photo, layer, unit?.toString(), cell && `${cell.row},${cell.column}`);
  }
  if (view === 'try') parts.push(photo);
  const end = parts.indexOf(undefined);
  const given = (end < 0 ? parts : parts.slice(0, end)) as string[];
  const path = '/' + given.map((p) => encodeURIComponent(p).replace('%2C', ',')).join('/');
  const search = new URLSearchParams(place.query ?? {}).toString();
  return search ? `${path}?${search}` : path;
}
