/**
 * One question at a time, and always the newest: while an answer is on its way, only the last
 * question asked meanwhile is kept. A window that slides fast thus shows what the server can
 * deliver, and ends on the cell where it stopped. Answers are remembered.
 */
export class Latest<Answer> {
  #known = new Map<string, Answer>();
  #size: number;
  #waiting: (() => Promise<void>) | null = null;
  #running: AbortController | null = null;

  constructor(size = 400) {
    this.#size = size;
  }

  peek(key: string): Answer | undefined {
    return this.#known.get(key);
  }

  /** `tell` hears the answer, unless a newer question was asked before it could be sent. */
  ask(
    key: string,
    fetch: (signal: AbortSignal) => Promise<Answer>,
    tell: (answer: Answer) => void,
    fail: (thrown: unknown) => void
  ): void {
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#waiting = null;
      this.drop();
      tell(known);
      return;
    }
    const send = async () => {
      const running = (this.#running = new AbortController());
      try {
        const answer = await fetch(running.signal);
        this.#remember(key, answer);
        if (!running.signal.aborted) tell(answer);
      } catch (thrown) {
        if (!running.signal.aborted) fail(thrown);
      }
      if (this.#running === running) this.#next();
    };
    if (this.#running) this.#waiting = send;
    else void send();
  }

  /** Forgets the question that is on its way: its answer is no longer wanted. */
  drop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#waiting = null;
  }

  #next(): void {
    const send = this.#waiting;
    this.#waiting = null;
    this.#running = null;
    if (send) void send();
  }

  #remember(key: string, answer: Answer): void {
    this.#known.set(key, answer);
    const [oldest] = this.#known.keys();
    if (this.#known.size > this.#size && oldest !== undefined) this.#known.delete(oldest);
  }
}
