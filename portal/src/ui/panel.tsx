// A panel beside the stage, on phones a sheet over it. It takes the focus and gives it back.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { text } from '../strings';
import type { App } from './app';
import { Icon } from './icons';

interface SidePanelProps {
  app: App;
  name: 'people' | 'chat';
  heading: string;
  children: ComponentChildren;
}

export function SidePanel({ app, name, heading, children }: SidePanelProps) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const panel = title.current?.closest('.panel');
    (panel?.querySelector<HTMLElement>('textarea') ?? title.current)?.focus();
    return () => {
      const inside = document.activeElement === document.body || panel?.contains(document.activeElement);
      if (inside) (opener?.isConnected ? opener : document.querySelector<HTMLElement>(`[data-testid=${name}]`))?.focus();
    };
  }, []);
  return (
    <aside class="panel" aria-labelledby={`${name}-heading`} data-testid={`${name}-panel`}>
      <div class="section-head">
        <h2 id={`${name}-heading`} ref={title} tabIndex={-1}>{heading}</h2>
        <button class="icon-button" aria-label={text.meeting.close} data-testid={`${name}-close`}
          onClick={() => app.store.dispatch({ type: 'panel', panel: 'none' })}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </aside>
  );
}
