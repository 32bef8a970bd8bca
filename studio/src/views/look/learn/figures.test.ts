import { describe, expect, it } from 'vitest';
import type { EquationMessage, TermMessage } from '../../../api/types';
import { addsUp } from '../../../format/decimal';
import {
  atLogits,
  byChange,
  changed,
  curve,
  fits,
  gate,
  grids,
  indexOf,
  largestOf,
  lossFormula,
  modeOf,
  modes,
  notchOf,
  offsetOf,
  placeOf,
  placeText,
  queryOf,
  rateAt,
  rateOf,
  rateText,
  readerOf
} from './figures';

describe('the way one looks', () => {
  it('stands in the address and is read from it again', () => {
    for (const mode of modes) expect(modeOf(changed({}, queryOf(mode)))).toBe(mode);
    expect(modeOf({ mode: 'sideways' })).toBe('Forwards');
    expect(changed({ scale: 'unit', mode: 'step' }, queryOf('Forwards'))).toEqual({
      scale: 'unit'
    });
  });
});

describe('the loss as a formula', () => {
  it('shows as many digits of p as give the shown loss again', () => {
    for (const p of [0.12485119, 0.8123, 0.99999, 1, 0.5, 3.2e-5, 7.1e-12, 0.0013586]) {
      const shown = lossFormula(p, -Math.log(p));
      expect((-Math.log(Number(shown.p))).toFixed(4).replace('-0.0000', '0.0000')).toBe(shown.loss);
    }
    expect(lossFormula(0.8123, -Math.log(0.8123))).toEqual({ p: '0.8123', loss: '0.2079' });
  });

  it('says the loss even where p is too small for a number', () => {
    expect(lossFormula(0, 812.5).loss).toBe('812.5000');
  });
});

describe('the gradient at the logits', () => {
  it('is p minus one for the true class and p for the others, exact as shown', () => {
    const p = [0.12485119, 0.010535, 0.344773, 0.454684, 0.0013586, 0.0637972];
    const rows = atLogits(p, 2);
    expect(rows.map((row) => row.wanted).join('')).toBe('001000');
    for (const row of rows) expect(addsUp([row.gradient, row.wanted], row.p)).toBe(true);
    expect(rows[2]!.gradient).toBe('-0.6552');
    expect(rows[0]!.gradient).toBe(rows[0]!.p);
    const several = atLogits([0.9, 0.2, 0.6], 0, 2);
    expect(several.map((row) => row.gradient)).toEqual(['-0.1000', '0.2000', '-0.4000']);
  });
});

describe('readers', () => {
  it('own the channels from their first on', () => {
    const readers = [
      { layer: 'conv2', kind: 'conv', first: 0, units: 16 },
      { layer: 'add', kind: 'add', first: 16, units: 8 }
    ];
    expect(readerOf(readers, 15)).toEqual({ layer: 'conv2', unit: 15 });
    expect(readerOf(readers, 16)).toEqual({ layer: 'add', unit: 0 });
    expect(readerOf(readers, 24)).toBeNull();
  });
});

describe('what a weight met', () => {
  const term = (row: number, column: number) =>
    ({ row, column, input: row, weight: column, product: row * column }) as TermMessage;

  it('lies as a grid, also where the kernel strides', () => {
    const terms = [term(0, 0), term(0, 2), term(2, 0), term(2, 2), term(4, 0), term(4, 2)];
    const found = grids([...terms].reverse())!;
    expect([found.product.width, found.product.height]).toEqual([2, 3]);
    expect([...found.product.values]).toEqual([0, 0, 0, 4, 0, 8]);
    expect([...found.input.values]).toEqual([0, 0, 2, 2, 4, 4]);
  });

  it('is no grid where cells are missing or there is but one', () => {
    expect(grids([term(0, 0), term(0, 1), term(1, 0)])).toBeNull();
    expect(grids([term(0, 0)])).toBeNull();
  });
});

describe('learned numbers', () => {
  it('have a place in an address and in a tensor', () => {
    const place = { name: 'weight', index: [3, 0, 1, 2] };
    expect(placeOf(placeText(place))).toEqual(place);
    for (const wrong of [undefined, '', 'weight', 'weight,', 'weight,x', 'weight,-1', ',1'])
      expect(placeOf(wrong)).toBeNull();
    expect(fits(place, [4, 1, 3, 3])).toBe(true);
    expect(fits(place, [4, 1, 3, 2])).toBe(false);
    expect(fits(place, [4, 1, 3])).toBe(false);
  });

  it('lie in C order', () => {
    const shape = [3, 2, 2, 5];
    for (let i = 0; i < 60; i++) expect(offsetOf(indexOf(i, shape), shape)).toBe(i);
    expect(indexOf(59, shape)).toEqual([2, 1, 1, 4]);
  });

  it('are searched for the largest inside one unit only', () => {
    const values = Float32Array.from([9, 0, -1, 2, -7, 3, 8, 8, 8]);
    expect(largestOf(values, [3, 3], 1)).toBe(4);
    expect(largestOf(values, [3, 3], 0)).toBe(0);
  });

  it('are sorted by how much they change relative to their size', () => {
    const of = (name: string, change_norm: number, weight_norm: number) =>
      ({ name, shape: [], gradient_norm: 1, change_norm, weight_norm }) as const;
    const list = [of('a', 1, 10), of('b', 1, 2), of('c', 1, 0), of('d', 0, 0)].map((p) => ({
      ...p,
      shape: []
    }));
    expect(byChange(list).map((p) => p.name)).toEqual(['c', 'b', 'a', 'd']);
  });
});

describe('a learning rate', () => {
  it('moves on a logarithmic scale and is written without idle digits', () => {
    expect(rateAt(-3)).toBe(0.001);
    expect(notchOf(0.001)).toBeCloseTo(-3, 12);
    expect(notchOf(1e-9)).toBe(-5);
    expect(rateText(0.2)).toBe('0.2');
    expect(rateText(0.00001)).toBe('0.00001');
    for (let notch = -5; notch <= 0; notch += 0.05) {
      expect(Math.abs(notchOf(rateAt(notch)) - notch)).toBeLessThan(0.03);
      expect(rateOf(rateText(rateAt(notch)))).toBe(rateAt(notch));
    }
  });

  it('is nothing but a positive number', () => {
    for (const wrong of [undefined, '', ' ', '0', '-1', 'fast', '1e9', 'Infinity'])
      expect(rateOf(wrong)).toBeNull();
    expect(rateOf(' 1e-3 ')).toBe(0.001);
  });
});

describe('a gate', () => {
  const through = (kind: string, shown: string) =>
    gate({ steps: [{ kind, shown }] } as unknown as EquationMessage, 0);

  it('is named where the slope is a yes or a no', () => {
    expect(through('relu', '-0.1189 × 0 = 0.0000')).toBe('gate shut');
    expect(through('relu', '-0.1189 × 1 = -0.1189')).toBe('gate open');
    expect(through('norm', '-0.1189 × 1 = -0.1189')).toBe('');
  });
});

describe('a curve of losses', () => {
  it('goes from the left to the right, the largest loss at the top', () => {
    expect(curve([2, 1, 1.5], 100, 20)).toBe('M0.0 0.0L50.0 20.0L100.0 10.0');
  });

  it('is a line at the bottom where all are equal, and a point where there is one', () => {
    expect(curve([1, 1], 100, 20)).toBe('M0.0 20.0L100.0 20.0');
    expect(curve([1], 100, 20)).toBe('M0.0 20.0');
  });
});
