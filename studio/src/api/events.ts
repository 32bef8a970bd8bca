/** The log of a run as a stream: past lines first, then each new one, until `end`. */
import { api } from './client';
import type { LogEvent } from './types';

export type { LogEvent };

const kinds: LogEvent['kind'][] = [
  'started',
  'step',
  'epoch',
  'checkpoint',
  'steered',
  'paused',
  'went_on',
  'note',
  'end'
];

export interface Listener {
  event: (event: LogEvent) => void;
  /** true while the connection is lost; the browser tries again by itself, where it left off */
  lost?: (isLost: boolean) => void;
}

/** Listens until `end` comes or the returned function is called. */
export function follow(run: string, listener: Listener, after?: number): () => void {
  const source = new EventSource(api.events(run, after));
  for (const kind of kinds) {
    source.addEventListener(kind, (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as LogEvent;
      if (event.kind === 'end') source.close();
      listener.event(event);
    });
  }
  source.onopen = () => listener.lost?.(false);
  source.onerror = () => listener.lost?.(true);
  return () => source.close();
}
