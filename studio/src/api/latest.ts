/**
 * One question at a time, and always the newest: while an answer is on its way, only the last
 * question asked meanwhile is kept. A window that slides fast thus shows what the server can
 * deliver, and ends on the cell where it stopped. Answers are remembered. What will probably be
 * asked next can be prepared: it is sent while nothing is asked, and what is asked goes before it.
 */
export class Latest<Answer> {
  #known = new Map<string, Answer>();
  #size: number;
  #waiting: (() => Promise<void>) | null = null;
  #running: { key: string; control: AbortController } | null = null;
  #prepared: { key: string; answer: Promise<Answer>; control: AbortController } | null = null;

  constructor(size = 400) {
    this.#size = size;
  }

  peek(key: string): Answer | undefined {
    return this.#known.get(key);
  }

  /** Sends a question before it is asked, unless there is something to do. */
  prepare(key: string, fetch: (signal: AbortSignal) => Promise<Answer>): void {
    if (this.#known.has(key) || this.#running || this.#prepared?.key === key) return;
    this.#prepared?.control.abort();
    const control = new AbortController();
    const prepared = (this.#prepared = { key, control, answer: fetch(control.signal) });
    const done = () => {
      if (this.#prepared === prepared) this.#prepared = null;
    };
    prepared.answer.then((answer) => {
      this.#remember(key, answer);
      done();
    }, done);
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
      const early = this.#taken(key);
      const control = early?.control ?? new AbortController();
      const running = (this.#running = { key, control });
      try {
        const answer = await (early?.answer ?? fetch(control.signal));
        this.#remember(key, answer);
        if (!control.signal.aborted) tell(answer);
      } catch (thrown) {
        if (!control.signal.aborted) fail(thrown);
      }
      if (this.#running === running) this.#next();
    };
    if (this.#running?.key === key) this.#waiting = null;
    else if (this.#running) this.#waiting = send;
    else void send();
  }

  /** Forgets the question that is on its way: its answer is no longer wanted. */
  drop(): void {
    this.#running?.control.abort();
    this.#running = null;
    this.#waiting = null;
  }

  /** What was prepared, if it is this; if not, it no longer stands in the way. */
  #taken(key: string) {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared?.key === key) return prepared;
    prepared?.control.abort();
    return null;
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
