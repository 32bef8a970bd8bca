import { describe, expect, it } from 'vitest';
import type { EquationMessage, LearningStepMessage, TraceMessage } from '../../../api/types';
import { compact } from '../../../format/number';
import { layerOf } from '../../../network/sample';
import { batchCaptions, captions } from './motion.svelte';
import { tell } from './tell';

describe('small numbers', () => {
  it('keep two digits that count', () => {
    expect([0, 1.234, -0.5, 0.0234, -0.00123, 0.0000041, NaN].map((v) => compact(v))).toEqual([
      '0.00',
      '1.23',
      '−0.50',
      '0.023',
      '−0.0012',
      '4.1e−6',
      'NaN'
    ]);
  });
});

describe('slow motion', () => {
  const trace = {
    classes: ['frog', 'ship'],
    probabilities: [0.25, 0.75],
    loss: null
  } as unknown as TraceMessage;
  const step = { loss: -Math.log(0.25), loss_after: 0.9, learning_rate: 0.01 };

  it('says one sentence a phase, with the digits of this photo', () => {
    const said = captions(trace, 'frog', step as unknown as LearningStepMessage);
    expect(said).toHaveLength(5);
    expect(said[0]).toContain('ship, 75.0');
    expect(said[1]).toContain('−log(0.2500) = 1.3863');
    expect(said[3]).toContain('a rate of 0.01');
    expect(said[4]).toContain('was 1.3863, now it is 0.9000');
  });

  it('does not say what is not known yet', () => {
    for (const sentence of captions(trace, 'frog', null)) expect(sentence).not.toMatch(/null|NaN/);
  });
});

describe('slow motion on the batches of a run', () => {
  const trace = {
    classes: ['frog', 'ship'],
    probabilities: [0.25, 0.75],
    loss: null
  } as unknown as TraceMessage;
  const taken = (steps: number) =>
    ({
      steps,
      learning_rate: 0.01,
      probabilities_after: [0.6, 0.4],
      batch: { loss: 1.25, loss_after: 1.125 }
    }) as unknown as LearningStepMessage;
  const said = (step: LearningStepMessage | null, phase: number) =>
    batchCaptions(trace, 24, step, phase);

  it('begins with the network as it is', () => {
    expect(said(null, 0)).toContain('Step 1: 24 photos');
    expect(said(null, 0)).toContain('ship, 75.0');
  });

  it('says what the last batch was before and after', () => {
    expect(said(taken(1), 3)).toContain('Step 1: every weight moves');
    expect(said(taken(1), 4)).toContain('was 1.2500, with the new weights it is 1.1250');
  });

  it('goes on with the network that the steps before it left', () => {
    expect(said(taken(1), 0)).toContain('Step 2: 24 photos');
    expect(said(taken(1), 0)).toContain('frog, 60.0');
    expect(said(taken(2), 3)).toContain('Step 2: every weight moves');
  });

  it('does not say what is not known yet', () => {
    for (let phase = 0; phase < 5; phase++)
      expect(batchCaptions(trace, null, null, phase)).not.toMatch(/null|NaN|undefined/);
  });
});

describe('where a gradient comes from', () => {
  const of = (kind: string, weight: number) =>
    ({
      kind,
      readers: [{ layer: 'next', kind, first: 0, units: 4 }],
      terms: [{ weight }]
    }) as unknown as EquationMessage;
  const layer = layerOf('relu1', 'relu', [4, 8, 8]);

  it('is told in one sentence that names the reader', () => {
    for (const kind of ['conv', 'dense', 'max_pool', 'avg_pool', 'relu', 'norm', 'flatten', 'add'])
      expect(tell(of(kind, 1), layer)).toContain('next');
  });

  it('tells winners from losers', () => {
    expect(tell(of('max_pool', 1), layer)).toContain('won its window');
    expect(tell(of('max_pool', 0), layer)).toContain('did not win');
  });

  it('is nowhere when nobody reads it', () => {
    const nobody = { ...of('conv', 1), readers: [] };
    expect(tell(nobody, layer)).toContain('nothing');
  });
});
