// The two WebSockets: a browser leg's signalling, and the room's events.
import type { ClientMessage, CloudEvent, LegMessage } from '../types';
import { kApiBase } from './api';

export interface Closer {
  close(): void;
}

export interface Signalling extends Closer {
  send(message: ClientMessage): void;
}

export interface SignallingHandlers {
  on_opened(): void;
  on_message_received(message: LegMessage): void;
  on_closed(): void;
}

function socketUrl(path: string): string {
  const url = new URL(kApiBase + path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function parse(data: unknown): Record<string, unknown> | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** on_closed comes once, and never after close(). */
export function openSignalling(handlers: SignallingHandlers): Signalling {
  const socket = new WebSocket(socketUrl('/legs/webrtc'), ['vmr.webrtc']);
  let done = false;
  socket.onopen = () => !done && handlers.on_opened();
  socket.onmessage = (event) => {
    const message = parse(event.data);
    if (!done && message && typeof message.type === 'string') {
      handlers.on_message_received(message as unknown as LegMessage);
    }
  };
  socket.onclose = () => {
    if (!done) handlers.on_closed();
    done = true;
  };
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    close: () => {
      done = true;
      socket.close(1000);
    },
  };
}

export interface EventHandlers {
  on_event_received(event: CloudEvent): void;
  on_closed(): void;
}

/** Room events from `since` on ('' = a fresh snapshot). */
export function openEvents(room: string, bearer: string, since: string, handlers: EventHandlers): Closer {
  const query = new URLSearchParams({ room });
  if (since) query.set('since', since);
  const socket = new WebSocket(socketUrl(`/events?${query}`), ['vmr.events', `vmr.bearer.${bearer}`]);
  let done = false;
  socket.onmessage = (event) => {
    const message = parse(event.data);
    if (!done && message && typeof message.type === 'string') {
      handlers.on_event_received(message as unknown as CloudEvent);
    }
  };
  socket.onclose = () => {
    if (!done) handlers.on_closed();
    done = true;
  };
  return {
    close: () => {
      done = true;
      socket.close(1000);
    },
  };
}
