import { describe, expect, it } from 'vitest';
import { href, parse, type Place } from './place';

const places: Place[] = [
  { view: 'home', query: {} },
  { view: 'runs', query: {} },
  { view: 'train', run: 'amber-heron', query: {} },
  { view: 'photos', run: 'amber-heron-2', query: { split: 'test' } },
  { view: 'report', run: 'amber-heron', query: { label: 'Käse & Brot', predicted: 'a/b' } },
  { view: 'look', run: 'amber-heron', query: {} },
  { view: 'sandbox', run: 'amber-heron', query: { photo: 't3', values: '0,-1,0' } },
  { view: 'try', run: 'r', photo: 't3', query: { cover: '1,2,3,4', off: 'relu1.2' } },
  { view: 'try', run: 'r', query: {} },
  { view: 'look', run: 'r', photo: 't12', query: { scale: 'unit' } },
  { view: 'look', run: 'r', photo: 'u-4f', layer: 'conv3', query: {} },
  { view: 'look', run: 'r', photo: 't0', layer: 'block.0/conv', unit: 0, query: {} },
  {
    view: 'look',
    run: 'r',
    photo: 't0',
    layer: 'conv3',
    unit: 5,
    cell: { row: 0, column: 31 },
    query: {}
  }
];

const guided: Place[] = [
  { view: 'home', query: {}, guide: { tour: 'kernel' } },
  { view: 'look', run: 'r', photo: 't0', query: { mode: 'backwards' }, guide: { tour: 'loss' } },
  {
    view: 'sandbox',
    run: 'r',
    query: { values: '0,-1,0' },
    guide: { tour: 'stride', steps: ['kernel', 'stride'], hide: ['header', 'strip'] }
  }
];
places.push(...guided);

describe('an address', () => {
  it.each(places)('of $view comes back as the same place', (place) => {
    const url = new URL(href(place), 'http://studio');
    expect(parse(url.pathname, url.search)).toEqual(place);
  });

  it('is readable', () => {
    expect(href({ ...places.at(-4)!, query: {} })).toBe('/look/r/t0/conv3/5/0,31');
  });

  it('of a lesson is readable too', () => {
    const { guide } = guided.at(-1)!;
    expect(href({ view: 'look', guide })).toBe(
      '/look?tour=stride&steps=kernel,stride&hide=header,strip'
    );
  });

  it('without a card, steps or hidden parts has no guide at all', () => {
    expect(parse('/look/r', '?tour=&steps=,&hide=')).toEqual({ view: 'look', run: 'r', query: {} });
  });

  it('that nobody knows leads home', () => {
    expect(parse('/etc/passwd').view).toBe('home');
  });

  it('with a broken cell or a broken escape keeps what can be read', () => {
    expect(parse('/look/r/t0/conv1/3/1,2,3')).toEqual({
      view: 'look',
      run: 'r',
      photo: 't0',
      layer: 'conv1',
      unit: 3,
      query: {}
    });
    expect(parse('/train/%E0%A4%A')).toEqual({ view: 'train', run: '%E0%A4%A', query: {} });
  });

  it('of two networks names both, then the photo', () => {
    const address = '/compare/amber-heron/calm-finch/t5/conv2/3/4,7?step=12&other_step=96';
    const place = parse('/compare/amber-heron/calm-finch/t5/conv2/3/4,7', '?step=12&other_step=96');
    expect(place).toEqual({
      view: 'compare',
      run: 'amber-heron',
      other: 'calm-finch',
      photo: 't5',
      layer: 'conv2',
      unit: 3,
      cell: { row: 4, column: 7 },
      query: { step: '12', other_step: '96' }
    });
    expect(href(place)).toBe(address);
    expect(href({ view: 'compare', run: 'amber-heron', photo: 't5' })).toBe('/compare/amber-heron');
  });

  it('never skips a level', () => {
    expect(href({ view: 'look', run: 'r', layer: 'conv1', unit: 3 })).toBe('/look/r');
  });
});
