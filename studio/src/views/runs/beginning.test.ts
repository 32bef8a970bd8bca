import { describe, expect, it } from 'vitest';
import { beginning } from './beginning';

const commit = '0123456789abcdef0123456789abcdef01234567';
const runs = new Set(['amber-heron', 'calm-wren']);
const of = (start: string | null, licence: string | null = null, edited = false) =>
  beginning({ start, licence, edited }, runs);

describe('what a run began with', () => {
  it('is nothing where its weights were untrained', () => {
    expect(of(null)).toBeNull();
  });

  it('leads to a run that is there, and only names one that is gone', () => {
    expect(of('amber-heron')).toMatchObject({
      how: 'from',
      name: 'amber-heron',
      run: 'amber-heron'
    });
    const gone = of('lost-finch');
    expect(gone).toMatchObject({ name: 'lost-finch', run: null });
    expect(gone?.whole).toContain('not in this list');
  });

  it('is another network for a copy that was changed by hand', () => {
    const copy = of('calm-wren', null, true);
    expect(copy).toMatchObject({ how: 'a copy of', run: 'calm-wren' });
    expect(copy?.whole).toContain('changed by hand');
  });

  it('names what comes with the program', () => {
    expect(of('cifar10')).toMatchObject({ how: 'from', name: 'cifar10', run: null, licence: null });
  });

  it('leaves the commit of a published network to the sentence, and keeps its licence', () => {
    const found = of(`hf:microsoft/resnet-18@${commit}`, 'apache-2.0');
    expect(found).toMatchObject({
      name: 'hf:microsoft/resnet-18',
      run: null,
      licence: 'apache-2.0'
    });
    expect(found?.whole).toContain(commit.slice(0, 12));
    expect(found?.whole).toContain('licence apache-2.0');
  });

  it('shows of a folder its end, and says the path and that no licence was named', () => {
    const found = of('hf:/home/me/at@work/mine');
    expect(found).toMatchObject({ name: 'hf:…/mine', licence: null });
    expect(found?.whole).toContain('the folder /home/me/at@work/mine; licence not named');
  });
});
