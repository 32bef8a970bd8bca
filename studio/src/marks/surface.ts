/** A canvas in device pixels: sized once, painted as 32-bit pixels, shown without smoothing. */
import type { Attachment } from 'svelte/attachments';

export type Painter = (pixels: Uint32Array, width: number, height: number, ratio: number) => void;

/** `width` and `height` are CSS pixels; the painter gets device pixels and how many make a CSS pixel. */
export function surface(
  width: number,
  height: number,
  paint: Painter
): Attachment<HTMLCanvasElement> {
  return (canvas) => {
    const ratio = devicePixelRatio || 1;
    const [across, down] = [
      Math.max(1, Math.round(width * ratio)),
      Math.max(1, Math.round(height * ratio))
    ];
    if (canvas.width !== across) canvas.width = across;
    if (canvas.height !== down) canvas.height = down;
    const image = new ImageData(across, down);
    paint(new Uint32Array(image.data.buffer), across, down, ratio);
    canvas.getContext('2d')?.putImageData(image, 0, 0);
  };
}
