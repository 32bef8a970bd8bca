import { describe, expect, it } from 'vitest';
import { format, parse, type Asked } from './address';
import { outputSize, paddedSize, span, type Spec } from './convolution';
import { cropped, inside, pixelOf } from './crop';
import { preset, presets, resized, rounded } from './kernels';
import { against, allowed, changed, ranges, settled, type Setting } from './limits';
import { cellWords, reachWords, sizeLines, stackWords } from './words';

const first = parse({}).spec;
const settings = Object.keys(ranges) as Setting[];

function* specs(): Generator<Spec> {
  for (const size of [5, 6, 9, 16])
    for (let kernel = 1; kernel <= 7; kernel++)
      for (let padding = 0; padding <= 6; padding++)
        for (const stride of [1, 3])
          for (const dilation of [1, 2, 3])
            for (const fill of ['zeros', 'reflect'] as const)
              yield { size, kernel, padding, stride, dilation, fill };
}

describe('limits', () => {
  it('settle every wish, and leave alone what is possible', () => {
    for (const spec of specs()) {
      const found = settled(spec, 16);
      expect(against(found, 16)).toBeNull();
      expect(outputSize(found)).toBeGreaterThan(0);
      if (against(spec, 16) === null) expect(found).toEqual(spec);
    }
  });

  it('allow a setting exactly what nothing stands against', () => {
    for (const spec of specs()) {
      if (against(spec, 16) !== null) continue;
      for (const setting of settings) {
        const { least, most, below, above } = allowed(spec, setting, 16);
        for (let value = least; value <= most; value++)
          expect(against(changed(spec, setting, value), 16)).toBeNull();
        expect(below === null).toBe(least === ranges[setting][0]);
        expect(above === null).toBe(most === ranges[setting][1]);
      }
    }
  });

  it('say why', () => {
    const small = { ...first, size: 5, padding: 0 };
    expect(allowed(small, 'kernel', 16)).toMatchObject({
      most: 5,
      above: 'a window 6 px wide does not fit into 5 px'
    });
    expect(allowed(first, 'padding', 16).above).toMatch(/^kernel − 1 = 2; /);
    expect(allowed(first, 'size', 12).above).toBe('the photo has no more than 12 px');
    const mirrored = { ...first, size: 5, kernel: 7, padding: 4, fill: 'reflect' as const };
    expect(allowed(mirrored, 'padding', 16).above).toMatch(/^5 px can be reflected no further/);
  });

  it('take padding along when the kernel becomes smaller', () => {
    expect(changed({ ...first, kernel: 5, padding: 4 }, 'kernel', 2).padding).toBe(1);
  });
});

describe('the address', () => {
  const all: Asked[] = [
    parse({}),
    {
      spec: { size: 16, kernel: 2, padding: 1, fill: 'reflect', stride: 4, dilation: 3 },
      values: { kind: 'own', weights: [0.25, -1, 0, 3.1416] },
      channel: 'blue',
      corner: { row: 0, column: 16 },
      cell: { row: 3, column: 1 }
    },
    { ...parse({}), values: { kind: 'learned', slice: { unit: 12, channel: 2 } } },
    ...presets.map((name) => ({ ...parse({}), values: { kind: 'preset' as const, name } }))
  ];
  it.each(all)('comes back as what was asked: $values', (asked) => {
    expect(parse(format(asked))).toEqual(asked);
  });

  it('of what is as at first is short', () => {
    expect(format(parse({}))).toEqual({});
  });

  it('with nonsense in it is as at first', () => {
    const nonsense = { size: 'x', kernel: '-3', values: '1,2,NaN', at: '1', cell: ',', fill: '?' };
    expect(parse(nonsense)).toEqual(parse({}));
    expect(parse({ size: '99', stride: '0' }).spec).toMatchObject({ size: 16, stride: 1 });
  });
});

describe('kernels', () => {
  it('have the sums that their names promise, in every size', () => {
    const sums = { identity: 1, blur: 1, sharpen: 1, 'edge horizontal': 0, 'edge vertical': 0 };
    for (let size = 1; size <= 7; size++)
      for (const [name, sum] of Object.entries(sums)) {
        const weights = preset(name as keyof typeof sums, size);
        if (weights === null) expect(size).toBeLessThan(3);
        else {
          expect(weights.length).toBe(size ** 2);
          expect(weights.reduce((all, one) => all + one, 0)).toBeCloseTo(sum, 12);
        }
      }
  });

  it('keep their middle when they grow, and come back when they shrink', () => {
    const three = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const size of [3, 4, 5, 6, 7]) {
      const grown = resized(three, size);
      expect(grown[Math.floor(size / 2) * (size + 1)]).toBe(5);
      expect(resized(grown, 3)).toEqual(three);
    }
  });

  it('that are typed keep four digits', () => {
    expect([rounded(1 / 3), rounded(-1e-9), rounded(1e5)]).toEqual([0.3333, 0, 99]);
  });
});

describe('the crop', () => {
  const data = new Uint8ClampedArray(
    Array.from({ length: 4 * 6 * 5 }, (_, i) => (i % 4 === 3 ? 255 : (7 * i) % 256))
  );
  const pixels = { width: 6, height: 5, data };

  it('is the square of pixels at its corner', () => {
    const [red] = [cropped(pixels, { row: 2, column: 1 }, 3, 'red')];
    expect(red[0]).toBe(data[4 * (2 * 6 + 1)]);
    expect(red[8]).toBe(data[4 * (4 * 6 + 3)]);
    expect(cropped(pixels, { row: 0, column: 0 }, 2, 'blue')[1]).toBe(data[4 + 2]);
  });

  it('stays inside the photo', () => {
    expect(inside({ row: 9, column: -2 }, 3, pixels)).toEqual({ row: 2, column: 0 });
  });

  it('makes grey of the three colours, black black and white white', () => {
    expect(pixelOf([0, 0, 0], 0, 'grey')).toBe(0);
    expect(pixelOf([255, 255, 255], 0, 'grey')).toBe(255);
    expect(pixelOf([100, 200, 50], 0, 'grey')).toBe(Math.round(29.9 + 117.4 + 5.7));
  });
});

describe('the words', () => {
  it('write the formula out', () => {
    expect(sizeLines({ ...first, dilation: 2 })).toEqual([
      '⌊(12 + 2·1 − 2·(3 − 1) − 1) / 1⌋ + 1',
      '⌊9 / 1⌋ + 1',
      '10'
    ]);
  });

  it('name the rows that are never reached', () => {
    expect(reachWords(first)).toBe('Every row and every column is read.');
    expect(reachWords({ ...first, stride: 2 })).toBe(
      '11 / 2 leaves a rest of 1: the last row and the last column are never reached (1 of padding).'
    );
    expect(reachWords({ ...first, padding: 0, stride: 2 })).toContain('(row 11 of the crop)');
    expect(reachWords({ ...first, kernel: 1, padding: 0, stride: 3 })).toContain('step over');
  });

  it('say where the window of a cell lies, and how much of it is padding', () => {
    const corner = { row: 0, column: 0 };
    expect(cellWords(first, corner, '2.0')).toBe(
      'Output row 0, column 0: 9 products add up to 2.0. The window lies on rows −1 to 1 and ' +
        'columns −1 to 1 of the crop; 5 of the numbers under it are padding.'
    );
    const wide = { ...first, padding: 0, dilation: 3 };
    expect(cellWords(wide, { row: 1, column: 5 }, '0')).toContain(
      'rows 1 to 7 and columns 5 to 11 of the crop, only every third of them.'
    );
    expect(cellWords({ ...first, kernel: 1, padding: 0 }, corner, '0')).toContain(
      'one product makes 0. The window lies on row 0 and column 0 of the crop.'
    );
  });

  it('say what two layers see', () => {
    expect(stackWords(first)).toContain('3 + (3 − 1)·1 = 5, so 5 × 5 px');
    expect([span(first), paddedSize(first)]).toEqual([3, 14]);
  });
});
