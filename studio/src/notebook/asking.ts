/** Questions to Python: messages of an anywidget, answered by the `id` that they were sent with. */
import type { EquationMessage, ErrorMessage } from '../api/types';

/** As far as it is used here; see https://anywidget.dev/en/afm. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(event: 'msg:custom', listen: Listener): void;
  off(event: 'msg:custom', listen: Listener): void;
}
type Listener = (content: Answer, buffers?: DataView[]) => void;

export interface Answer {
  id: number;
  equation?: EquationMessage;
  error?: ErrorMessage;
  buffers?: DataView[];
}

export interface Question {
  ask: 'equation' | 'map';
  layer: string;
  unit: number;
  row: number | null;
  column: number | null;
}

export class Asking {
  #model: Model;
  #asked = 0;
  #open = new Map<number, (answer: Answer) => void>();

  constructor(model: Model) {
    this.#model = model;
    model.on('msg:custom', this.#hear);
  }

  ask(question: Question): Promise<Answer> {
    const id = ++this.#asked;
    return new Promise((answered) => {
      this.#open.set(id, answered);
      this.#model.send({ ...question, id });
    });
  }

  close(): void {
    this.#model.off('msg:custom', this.#hear);
    this.#open.clear();
  }

  #hear: Listener = (content, buffers = []) => {
    this.#open.get(content.id)?.({ ...content, buffers });
    this.#open.delete(content.id);
  };
}

/** What is no number came as null. */
export function revived(equation: EquationMessage): EquationMessage {
  const number = (value: number | null) => value ?? NaN;
  return {
    ...equation,
    sum: number(equation.sum),
    activation: number(equation.activation),
    framework: number(equation.framework),
    difference: number(equation.difference),
    relative_difference: number(equation.relative_difference),
    worst_difference: number(equation.worst_difference),
    bias: equation.shown_bias === null ? null : number(equation.bias),
    channels: equation.channels.map((channel) => ({ ...channel, sum: number(channel.sum) })),
    terms: equation.terms.map((term) => ({
      ...term,
      input: number(term.input),
      weight: number(term.weight),
      product: number(term.product)
    })),
    steps: equation.steps.map((step) => ({
      ...step,
      value: number(step.value),
      framework: number(step.framework),
      difference: number(step.difference)
    }))
  };
}
