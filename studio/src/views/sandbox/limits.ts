/** Which settings go together, and in words what stands against those that do not. */
import { paddedSize, span, type Spec } from './convolution';

export type Setting = 'size' | 'kernel' | 'padding' | 'stride' | 'dilation';

export const ranges: Record<Setting, readonly [least: number, most: number]> = {
  size: [5, 16],
  kernel: [1, 7],
  padding: [0, 6],
  stride: [1, 4],
  dilation: [1, 3]
};

/** Why these settings cannot be, for a photo of so many px on its shorter side; null where they can. */
export function against(spec: Spec, photo_px: number): string | null {
  const { size, kernel, padding, fill } = spec;
  if (size > photo_px) return `the photo has no more than ${photo_px} px`;
  if (padding > kernel - 1)
    return `kernel − 1 = ${kernel - 1}; with more, a window would see padding alone`;
  if (fill === 'reflect' && padding > size - 1)
    return `${size} px can be reflected no further than ${size - 1}; zeros and replicate can`;
  if (span(spec) > paddedSize(spec)) {
    const room = padding ? `${size} px and ${2 * padding} of padding` : `${size} px`;
    return `a window ${span(spec)} px wide does not fit into ${room}`;
  }
  return null;
}

/** The settings with one of them changed; padding follows a kernel that has become smaller. */
export function changed(spec: Spec, setting: Setting, value: number): Spec {
  const next = { ...spec, [setting]: value };
  if (setting !== 'kernel') return next;
  return { ...next, padding: Math.max(0, Math.min(next.padding, value - 1)) };
}

export interface Allowed {
  least: number;
  most: number;
  /** what stands against the next lower and the next higher one, where the range goes on */
  below: string | null;
  above: string | null;
}

/** What one setting may be while the others stay. The present value is always allowed. */
export function allowed(spec: Spec, setting: Setting, photo_px: number): Allowed {
  const [low, high] = ranges[setting];
  const why = (value: number) => {
    if (value < low || value > high) return null;
    return against(changed(spec, setting, value), photo_px);
  };
  const isFine = (value: number) => value >= low && value <= high && why(value) === null;
  let [least, most] = [spec[setting], spec[setting]];
  while (isFine(least - 1)) least--;
  while (isFine(most + 1)) most++;
  return { least, most, below: why(least - 1), above: why(most + 1) };
}

/** The nearest settings that go together, for what an address asks. */
export function settled(asked: Spec, photo_px: number): Spec {
  const size = Math.min(asked.size, photo_px);
  const most = asked.fill === 'reflect' ? size - 1 : Infinity;
  let spec = { ...asked, size, padding: Math.min(asked.padding, asked.kernel - 1, most) };
  while (span(spec) > paddedSize(spec) && spec.dilation > 1)
    spec = { ...spec, dilation: spec.dilation - 1 };
  while (span(spec) > paddedSize(spec)) spec = changed(spec, 'kernel', spec.kernel - 1);
  return spec;
}
