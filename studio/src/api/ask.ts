/**
 * Asking the server and reading what it answers: JSON, float32 tensors, both in one answer, a picture's
 * pixels. A refusal is a `Refused` with the server's own three sentences.
 */
import type { ErrorMessage } from './types';

/** What happened, why, and how to fix it. */
export class Refused extends Error {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  /** HTTP status; 0 where no answer came */
  readonly status: number;

  constructor(message: ErrorMessage, status: number) {
    super(message.what);
    this.name = 'Refused';
    this.what = message.what;
    this.why = message.why;
    this.fix = message.fix;
    this.status = status;
  }
}

/** Any thrown thing as the three sentences; `null` where the request was only called off. */
export function refusal(thrown: unknown): Refused | null {
  if (thrown instanceof Refused) return thrown;
  if (thrown instanceof DOMException && thrown.name === 'AbortError') return null;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const fix = 'Reload the page. If it stays, please report it with this sentence.';
  return new Refused({ what: 'The studio ran into its own mistake.', why, fix }, 0);
}

const silent: ErrorMessage = {
  what: 'The server does not answer.',
  why: 'It has been stopped, or this page was opened by an older one.',
  fix: 'Start it again with `seethrough studio` and open the link that it prints.'
};

async function told(answer: Response): Promise<ErrorMessage> {
  try {
    const body = (await answer.json()) as Partial<ErrorMessage>;
    if (body.what) return { what: body.what, why: body.why ?? '', fix: body.fix ?? '' };
  } catch {
    // not JSON: say what is known
  }
  return {
    what: `The server answered ${answer.status}.`,
    why: answer.statusText || 'It gave no reason.',
    fix: 'Reload the page; look at the terminal in which the server runs.'
  };
}

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (thrown) {
    if (init.signal?.aborted) throw thrown;
    throw new Refused(silent, 0);
  }
  if (!answer.ok) throw new Refused(await told(answer), answer.status);
  return answer;
}

export async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await ask(path, init)).json() as Promise<T>;
}

/** Little-endian float32, row-major, with its shape where the server tells it. */
export interface Tensor {
  values: Float32Array;
  shape: number[];
}

export async function tensor(path: string, signal?: AbortSignal): Promise<Tensor> {
  const answer = await ask(path, { signal });
  const shape = answer.headers.get('X-Shape')?.split(',').map(Number);
  const values = decoded(await answer.arrayBuffer());
  return { values, shape: shape ?? [values.length] };
}

/** From a multiple of 4 bytes on. */
function decoded(bytes: ArrayBuffer, from = 0): Float32Array {
  if (littleEndian) return new Float32Array(bytes, from);
  const view = new DataView(bytes, from);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** A message and the numbers that belong to it, from one answer: nothing can come between them. */
export interface Whole<Message> {
  message: Message;
  values: Float32Array;
}

/** Length of the JSON in 4 bytes, the JSON, floats. */
export async function whole<Message>(path: string, init: RequestInit): Promise<Whole<Message>> {
  const bytes = await (await ask(path, init)).arrayBuffer();
  const length = new DataView(bytes).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(bytes, 4, length));
  return { message: JSON.parse(text) as Message, values: decoded(bytes, 4 + length) };
}

/** A picture's pixels, three bytes each, exactly as stored. */
export interface Pixels {
  width: number;
  height: number;
  /** RGBA */
  data: Uint8ClampedArray;
}

export async function pixels(path: string, signal?: AbortSignal): Promise<Pixels> {
  const blob = await (await ask(path, { signal })).blob();
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none'
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (!context) throw new Error('this browser gives no canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

type Value = string | number | boolean | null | undefined;
/** a list stands once for each of its numbers */
export type Query = Record<string, Value | readonly number[]>;

/** `/api/…` of encoded parts, with those of the query that are given. */
export function address(parts: readonly (string | number)[], query: Query = {}): string {
  const given = Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== '');
  const pairs = given.flatMap(([k, v]) =>
    (Array.isArray(v) ? v : [v]).map((one) => [k, String(one)])
  );
  const search = new URLSearchParams(pairs).toString();
  const path = ['/api', ...parts.map((p) => encodeURIComponent(p))].join('/');
  return search ? `${path}?${search}` : path;
}
