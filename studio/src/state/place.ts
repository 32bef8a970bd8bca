/** Every place in the studio as an address, and back. Pure; `route.svelte.ts` ties it to the history. */

export type ViewName =
  'photos' | 'train' | 'look' | 'time' | 'try' | 'compare' | 'sandbox' | 'report' | 'runs';

export interface Cell {
  row: number;
  column: number;
}

/** What stays in the address wherever one goes: the card of the tour, a teacher's choice. */
export interface Guide {
  /** the card that is open */
  tour?: string | undefined;
  /** the only cards there are, in this order */
  steps?: readonly string[] | undefined;
  /** parts of the studio that are not shown */
  hide?: readonly string[] | undefined;
}

export interface Place {
  view: ViewName | 'home';
  run?: string;
  /** compare: the run that stands beside it */
  other?: string;
  photo?: string;
  layer?: string;
  unit?: number;
  cell?: Cell;
  /** what stands behind the question mark: label, predicted, scale, … */
  query: Readonly<Record<string, string>>;
  /** left out: none; `Route.go` then keeps the one there is */
  guide?: Guide;
}

/** A place as it is asked for; without a query there is none. */
export type Goal = Omit<Place, 'query'> & { query?: Place['query'] };

const views: readonly string[] = [
  'photos',
  'train',
  'look',
  'time',
  'try',
  'compare',
  'sandbox',
  'report',
  'runs'
];
/** these look at a photo, and the second ones at a cell of it */
const withPhoto: readonly string[] = ['look', 'time', 'try', 'compare'];
const withCell: readonly string[] = ['look', 'compare'];

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

/** The moment that an address names: so many steps of training; undefined: now. */
export const stepOf = (query: Place['query']): number | undefined => whole(query['step']);

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

const words = (text: string | undefined): string[] =>
  (text ?? '').split(',').filter((word) => word !== '');

function guideOf({ tour, steps, hide }: Record<string, string>): Guide | undefined {
  const guide: Guide = {};
  if (tour) guide.tour = tour;
  if (words(steps).length) guide.steps = words(steps);
  if (words(hide).length) guide.hide = words(hide);
  return Object.keys(guide).length ? guide : undefined;
}

/** `tour=kernel&steps=kernel,stride&hide=header`: readable, since people write it by hand. */
function guideText({ tour, steps, hide }: Guide = {}): string {
  const text = new URLSearchParams({
    ...(tour && { tour }),
    ...(steps?.length && { steps: steps.join() }),
    ...(hide?.length && { hide: hide.join() })
  });
  return text.toString().replaceAll('%2C', ',');
}

/** An unknown address is home, never an error. */
export function parse(path: string, search = ''): Place {
  const all = Object.fromEntries(new URLSearchParams(search));
  const { tour: _, steps: __, hide: ___, ...query } = all;
  const guide = guideOf(all);
  const [view, run, ...rest] = path.split('/').filter(Boolean).map(decoded);
  const other = view === 'compare' ? rest.shift() : undefined;
  const [photo, layer, unit, cell] = rest;
  if (!view || !views.includes(view)) return { view: 'home', query, ...(guide && { guide }) };
  const place: Place = { view: view as ViewName, query, ...(guide && { guide }) };
  if (view === 'runs') return place;
  if (run) place.run = run;
  if (other) place.other = other;
  if (!withPhoto.includes(view)) return place;
  if (photo) place.photo = photo;
  if (!withCell.includes(view)) return place;
  if (photo && layer) place.layer = layer;
  if (place.layer && whole(unit) !== undefined) place.unit = whole(unit);
  if (place.unit !== undefined && cellOf(cell)) place.cell = cellOf(cell);
  return place;
}

/** Parts after a missing one are left out, since they would say something else. */
export function href(place: Goal): string {
  const { view, run, other, photo, layer, unit, cell } = place;
  const parts: (string | undefined)[] = [view === 'home' ? undefined : view];
  if (view !== 'runs') parts.push(run);
  if (view === 'compare') parts.push(other);
  if (withCell.includes(view)) {
    parts.push(photo, layer, unit?.toString(), cell && `${cell.row},${cell.column}`);
  } else if (withPhoto.includes(view)) parts.push(photo);
  const end = parts.indexOf(undefined);
  const given = (end < 0 ? parts : parts.slice(0, end)) as string[];
  const path = '/' + given.map((p) => encodeURIComponent(p).replace('%2C', ',')).join('/');
  const search = [new URLSearchParams(place.query ?? {}).toString(), guideText(place.guide)]
    .filter(Boolean)
    .join('&');
  return search ? `${path}?${search}` : path;
}
