/** A range test of learning rates as a stream: past trials first, then each new one, until `end`. */
import { api } from './client';
import type { RangeTestEvent } from './types';

const kinds: RangeTestEvent['kind'][] = ['started', 'trial', 'end'];

export interface Listener {
  event: (event: RangeTestEvent) => void;
  /** the server knows no such test any more: it was started anew */
  gone: () => void;
}

/** Listens until `end` comes or the returned function is called; the browser reconnects by itself. */
export function followTest(run: string, listener: Listener): () => void {
  const source = new EventSource(api.rangeTestEvents(run));
  for (const kind of kinds) {
    source.addEventListener(kind, (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as RangeTestEvent;
      if (event.kind === 'end') source.close();
      listener.event(event);
    });
  }
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) listener.gone();
  };
  return () => source.close();
}
