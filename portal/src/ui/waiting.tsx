// What is shown instead of the room: the PIN step, the lobby, and the end.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { State } from '../store/meeting';
import { fill, text } from '../strings';
import type { App } from './app';
import { useTitle } from './hooks';
import { Icon } from './icons';

export function PinStep({ app, state }: { app: App; state: State }) {
  const id = useId();
  const [digits, setDigits] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const { wrong, waiting, attemptsLeft } = state.pin;
  useEffect(() => {
    if (!waiting) input.current?.focus();
  }, [waiting, attemptsLeft]);
  return (
    <form
      class="slate"
      data-testid="pin-step"
      onSubmit={(event) => {
        event.preventDefault();
        if (!digits) return;
        app.session.sendPin(digits);
        setDigits('');
      }}
    >
      <h2>{text.pin.heading}</h2>
      <p>{fill(text.pin.lead, { title: state.title })}</p>
      <div class="field">
        <label for={id}>{text.pin.label}</label>
        <input id={id} ref={input} type="password" inputMode="numeric" enterkeyhint="go" pattern="[0-9]{1,20}" maxLength={20}
          autocomplete="off" value={digits} data-testid="pin-input" aria-invalid={wrong}
          aria-describedby={`${id}-note`} onInput={(event) => setDigits(event.currentTarget.value)} />
      </div>
      <p id={`${id}-note`} class="pin-note" aria-live="assertive" data-testid="pin-note">
        {waiting ? text.pin.checking : wrong ? text.pin.wrong : ''}{' '}
        {!waiting && wrong && attemptsLeft !== null ? fill(text.pin.left, { count: attemptsLeft }) : ''}
      </p>
      <div class="buttons">
        <button type="button" class="button" data-testid="pin-guest" disabled={waiting}
          onClick={() => app.session.joinAsGuest()}>
          {text.pin.guest}
        </button>
        <button class="button primary" data-testid="pin-submit" disabled={waiting || !digits}>{text.pin.submit}</button>
      </div>
    </form>
  );
}

export function Lobby({ state }: { state: State }) {
  const reasons = text.lobby as Record<string, string>;
  return (
    <div class="slate" data-testid="lobby" data-reason={state.lobbyReason}>
      <span class="slate-icon"><Icon name="clock" /></span>
      <h2>{text.lobby.heading}</h2>
      <p aria-live="polite">{reasons[state.lobbyReason] ?? text.lobby.other}</p>
    </div>
  );
}

/** `normal` is one's own leaving, as is no cause at all. */
function lastWords(cause: string): [string, string] {
  if (!cause || cause === 'normal' || cause === 'hangup') return [text.left.normal, ''];
  return text.causes[cause] ?? [text.left.unknown, fill(text.left.cause, { cause: cause.replaceAll('_', ' ') })];
}

export function LeftPage({ app, state }: { app: App; state: State }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [headline, more] = lastWords(state.leftCause);
  useTitle(`${headline} · ${text.app}`);
  useEffect(() => heading.current?.focus(), []); // or a screen reader would not tell
  return (
    <main class="left-page">
      <div class="slate" data-testid="left" data-cause={state.leftCause}>
        <h1 ref={heading} tabIndex={-1} aria-describedby="left-more">{headline}</h1>
        <p class="muted" id="left-more">{more || state.title}</p>
        <div class="buttons">
          <a class="button" href="/" data-testid="left-home">{text.left.home}</a>
          <button class="button primary" data-testid="rejoin"
            onClick={() => app.store.dispatch({ type: 'rejoin_offered' })}>
            {text.left.rejoin}
          </button>
        </div>
      </div>
    </main>
  );
}
