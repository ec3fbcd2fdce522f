import { useEffect, useRef, useState } from 'preact/hooks';
import type { Store } from '../store/store';

export function useStore<S, E>(store: Store<S, E>): S {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.subscribe(() => setState(store.state));
  }, [store]);
  return state;
}

/** A <video> or <audio> that plays `stream`; `on_blocked` when the browser wants a click first. */
export function useStream<E extends HTMLMediaElement>(stream: MediaStream | null, on_blocked?: () => void) {
  const element = useRef<E>(null);
  useEffect(() => {
    const media = element.current;
    if (!media) return;
    if (media.srcObject !== stream) media.srcObject = stream;
    if (stream) {
      media.play().catch((error: unknown) => {
        if (error instanceof DOMException && error.name === 'NotAllowedError') on_blocked?.();
      });
    }
  }, [stream]);
  return element;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
