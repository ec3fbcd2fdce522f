// Host controls at the foot of the people panel.
import { useId, useState } from 'preact/hooks';
import type { State } from '../store/meeting';
import { isHost, may } from '../store/selectors';
import { text } from '../strings';
import type { Layout } from '../types';
import type { App } from './app';
import { Icon } from './icons';
import type { Question } from './parts';

const kLayouts: Layout[] = ['speaker', 'equal', 'single', 'content'];

function LayoutChoice({ app, state }: { app: App; state: State }) {
  return (
    <fieldset class="segmented" data-testid="layout">
      <legend>{text.host.layout}</legend>
      {kLayouts.map((layout) => (
        <label key={layout}>
          <input type="radio" name="layout" value={layout} checked={state.room?.layout === layout}
            data-testid={`layout-${layout}`} onChange={() => void app.session.act((api) => api.layout(layout))} />
          <span>{text.host.layouts[layout]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function MuteControls({ app, state }: { app: App; state: State }) {
  const mutedGuests = state.room?.muted_guests ?? false;
  const muteNewcomers = state.room?.mute_newcomers ?? false;
  return (
    <>
      <button class="button" data-testid="mute-guests" data-on={mutedGuests}
        onClick={() => void app.session.act((api) => api.muteGuests(!mutedGuests))}>
        <Icon name="micOff" />
        {mutedGuests ? text.host.unmuteGuests : text.host.muteGuests}
      </button>
      <label class="check">
        <input type="checkbox" checked={muteNewcomers} data-testid="mute-newcomers"
          onChange={() => void app.session.act((api) => api.muteNewcomers(!muteNewcomers))} />
        {text.host.muteNewcomers}
      </label>
    </>
  );
}

function ChatRight({ app, state }: { app: App; state: State }) {
  const allowed = state.room?.chat_allowed ?? false;
  return (
    <label class="check">
      <input type="checkbox" checked={allowed} data-testid="allow-chat"
        onChange={() => void app.session.act((api) => api.allowChat(!allowed))} />
      {text.host.allowChat}
    </label>
  );
}

/** A number or SIP address that the server may call; what became of it is in the list of people. */
function CallOut({ app }: { app: App }) {
  const id = useId();
  const [address, setAddress] = useState('');
  const call = async (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = address.trim();
    if (wanted && (await app.session.act((api) => api.dialOut(wanted)))) setAddress('');
  };
  return (
    <form class="call-out" onSubmit={(event) => void call(event)}>
      <div class="field">
        <label for={id}>{text.host.callSomebody}</label>
        <input id={id} data-testid="call-address" value={address} maxLength={256} placeholder={text.host.callHint}
          autocomplete="off" spellcheck={false} inputMode="email" onInput={(event) => setAddress(event.currentTarget.value)} />
      </div>
      <button class="button" data-testid="call" disabled={!address.trim()}>{text.host.call}</button>
    </form>
  );
}

export function HostControls({ app, state, ask }: { app: App; state: State; ask: (question: Question) => void }) {
  const host = isHost(state);
  if (!host && !may(state, 'mute') && !may(state, 'layout')) return null;
  const locked = state.room?.locked ?? false;
  const end = () =>
    ask({
      heading: text.confirm.endHeading,
      body: text.confirm.endText,
      yes: text.confirm.end,
      run: () => void app.session.act((api) => api.end()),
    });
  return (
    <section class="host-controls" aria-labelledby="host-heading" data-testid="host-controls">
      <h3 id="host-heading">{text.host.heading}</h3>
      {host && (
        <button class="button" data-testid="lock" data-on={locked}
          onClick={() => void app.session.act((api) => api.lock(!locked))}>
          <Icon name="lock" />
          {locked ? text.host.unlock : text.host.lock}
        </button>
      )}
      {may(state, 'mute') && <MuteControls app={app} state={state} />}
      {host && <ChatRight app={app} state={state} />}
      {may(state, 'layout') && <LayoutChoice app={app} state={state} />}
      {host && <CallOut app={app} />}
      {host && (
        <button class="button danger" data-testid="end-room" onClick={end}>
          <Icon name="leave" />
          {text.host.end}
        </button>
      )}
    </section>
  );
}
