import { describe, expect, it } from 'vitest';
import golden from '../../../tests/golden/colours.json?raw';
import {
  contrast,
  diverging,
  inkOn,
  luminance,
  mix,
  strength,
  table,
  tableIndex,
  type Palette,
  type Rgb
} from './colour';

const light: Palette = {
  plus: [179, 84, 30],
  minus: [43, 92, 158],
  zero: [247, 245, 240],
  digitDark: [0, 0, 0],
  digitLight: [255, 255, 255],
  broken: [138, 95, 0]
};
const dark: Palette = {
  plus: [232, 148, 90],
  minus: [122, 167, 224],
  zero: [32, 31, 28],
  digitDark: [0, 0, 0],
  digitLight: [255, 255, 255],
  broken: [217, 164, 65]
};

describe('the diverging scale', () => {
  it('is symmetric around zero, monotone, and held at its ends', () => {
    let last = -1;
    for (let v = 0; v <= 3; v += 0.05) {
      const s = strength(v, 2.5);
      expect(strength(-v, 2.5)).toBeCloseTo(-s, 12);
      expect(s).toBeGreaterThanOrEqual(last);
      last = s;
    }
    expect(strength(2.5, 2.5)).toBe(1);
    expect(strength(99, 2.5)).toBe(1);
  });

  it('shows zero as paper, also where everything is zero', () => {
    expect(diverging(0, 4, light)).toEqual(light.zero);
    expect(diverging(0, 0, light)).toEqual(light.zero);
    expect(diverging(4, 4, light)).toEqual(light.plus);
    expect(diverging(-4, 4, light)).toEqual(light.minus);
  });

  it('gives the colours that Python gives', () => {
    const cases: { value: number; extent: number; colour: Rgb }[] = JSON.parse(golden);
    expect(cases.length).toBeGreaterThan(50);
    for (const { value, extent, colour } of cases)
      expect(diverging(value, extent, light)).toEqual(colour);
  });

  it('shows what is not a number as such', () => {
    expect(diverging(NaN, 4, light)).toEqual(light.broken);
    expect(table(light)[tableIndex(NaN, 4)]).toBe(0xff000000 + (0 << 16) + (95 << 8) + 138);
  });

  it('is the same in the table as computed directly, to one step of 255', () => {
    const pixels = table(light);
    for (let v = -3; v <= 3; v += 0.173) {
      const pixel = pixels[tableIndex(v, 3)]!;
      const wanted = diverging(v, 3, light);
      wanted.forEach((c, i) =>
        expect(Math.abs(((pixel >>> (8 * i)) & 255) - c)).toBeLessThanOrEqual(1)
      );
    }
  });
});

describe('digits on a coloured cell', () => {
  it.each([light, dark])('can be read at every strength: 4.5 : 1', (palette) => {
    for (const end of [palette.plus, palette.minus]) {
      for (let share = 0; share <= 1; share += 0.01) {
        const ground = mix(palette.zero, end, share);
        expect(contrast(inkOn(ground, palette), ground)).toBeGreaterThan(4.5);
      }
    }
  });
});

describe('luminance', () => {
  it('runs from black to white', () => {
    expect(luminance([0, 0, 0] as Rgb)).toBe(0);
    expect(luminance([255, 255, 255] as Rgb)).toBeCloseTo(1, 10);
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 5);
  });
});
