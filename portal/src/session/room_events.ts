// The room's events while one is in it: connected again where the connection ends, from the newest event on.
import type { Closer, EventHandlers } from '../io/sockets';
import type { CloudEvent } from '../types';
import { retryDelay } from './backoff';

const kLeastMs = 250; // between two connections

export interface RoomEventsDeps {
  /** A connection for what came after the event `since` ('' = a fresh snapshot). */
  connect(since: string, handlers: EventHandlers): Closer;
  newest(): string;
  on_event_received(event: CloudEvent): void;
  random(): number;
}

export class RoomEvents {
  private connection: Closer | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(private readonly deps: RoomEventsDeps) {}

  open(): void {
    if (this.connection) return;
    clearTimeout(this.timer);
    this.connection = this.deps.connect(this.deps.newest(), {
      on_event_received: (event) => {
        this.tries = 0;
        this.deps.on_event_received(event);
      },
      on_closed: () => {
        this.connection = null;
        const delay = Math.max(kLeastMs, retryDelay(++this.tries, 0, this.deps.random()));
        this.timer = setTimeout(() => this.open(), delay);
      },
    });
  }

  close(): void {
    clearTimeout(this.timer);
    this.connection?.close();
    this.connection = null;
  }

  /** As close(); the next connection is the first of another stay. */
  reset(): void {
    this.close();
    this.tries = 0;
  }
}
