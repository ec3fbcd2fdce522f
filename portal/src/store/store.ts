// A store is a pure reducer, its present state and who wants to know. Nothing in here does I/O.
export type Reducer<S, E> = (state: S, event: E) => S;

export class Store<S, E> {
  private listeners = new Set<() => void>();

  constructor(
    private readonly reduce: Reducer<S, E>,
    private current: S,
  ) {}

  get state(): S {
    return this.current;
  }

  dispatch = (event: E): void => {
    const next = this.reduce(this.current, event);
    if (next === this.current) return;
    this.current = next;
    for (const listener of [...this.listeners]) listener();
  };

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
