import { describe, expect, it } from 'vitest';
import { parts, shortened, width } from './name';

const long = 'network.resnet.encoder.stages.1.layers.0.layer.0.convolution';
const rooms = Array.from({ length: 60 }, (_, i) => 10 + 8 * i);

describe('a name in little room', () => {
  it('is whole where it fits', () => {
    expect(shortened('conv1', 40)).toBe('conv1');
    expect(shortened(long, 1000)).toBe(long);
  });

  it('keeps its end, in whole parts', () => {
    expect(shortened(long, width('…layer.0.convolution', 10.5))).toBe('…layer.0.convolution');
    for (const room of rooms) {
      const said = shortened(long, room);
      if (!said.startsWith('…')) continue;
      expect(long.endsWith(`.${said.slice(1)}`)).toBe(true);
    }
  });

  it('never takes more room than there is, but for two letters', () => {
    for (const name of [long, 'stages.0.downsampling_layer.1', 'global_average_pool', 'a.b.c'])
      for (const room of rooms) {
        const said = shortened(name, room);
        if (said.replace(/[….\d]/g, '').length > 1)
          expect(width(said, 10.5)).toBeLessThanOrEqual(room);
      }
  });

  it('says more in more room', () => {
    const lengths = rooms.map((room) => shortened(long, room).replace(/^…|…$/g, '').length);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(new Set(lengths).size).toBeGreaterThan(8);
  });

  it('begins the last part where not all of it fits', () => {
    expect(shortened(long, 40)).toMatch(/^con[a-z]*…$/);
    expect(shortened('stages.0.normalization', 40)).toMatch(/^nor[a-z]*…$/);
  });

  it('does not leave a number alone', () => {
    expect(shortened('encoder.stages.1.downsampling_layer.0', 50)).toMatch(/^do[a-z]*…0$/);
    expect(shortened('encoder.stages.1', width('…stages.1', 10.5))).toBe('…stages.1');
    expect(shortened('encoder.stages.1', width('stages.1', 10.5))).toBe('stages.1');
  });

  it('breaks behind dots and loses nothing', () => {
    expect(parts('a.b.conv')).toEqual(['a.', 'b.', 'conv']);
    expect(parts(long).join('')).toBe(long);
    expect(parts('conv1')).toEqual(['conv1']);
  });
});
