// `/join/ALIAS` before the meeting: who I am, what I look and sound like, and my PIN.
import { useEffect, useId, useState } from 'preact/hooks';
import { LocalMedia } from '../io/media';
import { keptName } from '../session/kept';
import type { State } from '../store/meeting';
import { fill, text } from '../strings';
import type { App } from './app';
import { DeviceChoices, DeviceLevel } from './devices';
import { useStream, useTitle } from './hooks';
import { Icon } from './icons';
import { Brand } from './parts';

function useTrackStream(track: MediaStreamTrack | null): MediaStream | null {
  const [stream, setStream] = useState<MediaStream | null>(null);
  useEffect(() => setStream(track ? new MediaStream([track]) : null), [track]);
  return stream;
}

export function SelfView({ track, testid }: { track: MediaStreamTrack | null; testid: string }) {
  const video = useStream<HTMLVideoElement>(useTrackStream(track));
  return <video ref={video} class="self" muted playsInline autoplay aria-label={text.meeting.self} data-testid={testid} />;
}

function Preview({ app, state }: { app: App; state: State }) {
  const { devices } = app;
  const { microphone, camera } = state.media;
  const micOn = microphone === 'on';
  const cameraOn = camera === 'on';
  return (
    <div class="preview" data-testid="preview">
      {cameraOn ? (
        <SelfView track={devices.media.track('camera')} testid="preview-video" />
      ) : (
        <p class="preview-off">{camera === 'starting' ? text.join.previewStarting : text.join.previewOff}</p>
      )}
      <div class="preview-controls">
        <button type="button" class={`control ${micOn ? '' : 'off'}`} aria-pressed={micOn} data-testid="preview-mic"
          disabled={!LocalMedia.supported} onClick={() => void devices.setMicrophone(!micOn)}>
          <Icon name={micOn ? 'mic' : 'micOff'} />
          <span class="visually-hidden">{text.devices.microphone}</span>
        </button>
        <button type="button" class={`control ${cameraOn ? '' : 'off'}`} aria-pressed={cameraOn}
          data-testid="preview-camera" disabled={!LocalMedia.supported}
          onClick={() => void devices.setCamera(!cameraOn)}>
          <Icon name={cameraOn ? 'camera' : 'cameraOff'} />
          <span class="visually-hidden">{text.devices.camera}</span>
        </button>
      </div>
    </div>
  );
}

function troubleWords(media: State['media']): string {
  if (!LocalMedia.supported) return text.join.insecure;
  const troubles = (['microphone', 'camera'] as const).flatMap((kind) => {
    const state = media[kind];
    return state === 'denied' || state === 'missing' || state === 'failed' ? [{ kind, state }] : [];
  });
  if (troubles.length === 2 && troubles.every((one) => one.state === 'denied')) return text.join.blocked;
  if (troubles.length === 2 && troubles.every((one) => one.state === 'missing')) return text.join.missing;
  const words = troubles.map(({ kind, state }) =>
    fill(text.devices.failures[state], { device: text.devices.names[kind] }));
  return words.length ? [...words, text.join.withoutOne].join(' ') : '';
}

/** The live region stands from the start: what goes wrong later is read out. */
function DeviceNotice({ app, media }: { app: App; media: State['media'] }) {
  const words = troubleWords(media);
  return (
    <div aria-live="polite">
      {words && (
        <div class="notice" data-testid="device-notice">
          <p>{words}</p>
          {LocalMedia.supported && (
            <button type="button" class="button small" data-testid="device-retry"
              onClick={() => void app.devices.startMissing()}>
              {text.join.tryAgain}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function JoinFields({ app, state }: { app: App; state: State }) {
  const nameId = useId();
  const pinId = useId();
  const [name, setName] = useState(state.me.name);
  const [pin, setPin] = useState('');
  const busy = state.phase === 'connecting';
  const join = (asGuest: boolean) => {
    const clean = name.trim();
    if (!clean || busy) return;
    keptName.write(clean);
    app.session.join({ name: clean, pin: asGuest ? '' : pin.trim(), asGuest });
    setPin('');
  };
  return (
    <form
      class="join-fields"
      data-testid="join-form"
      onSubmit={(event) => {
        event.preventDefault();
        join(state.asksPin && !pin.trim());
      }}
    >
      <div class="field">
        <label for={nameId}>{text.join.name}</label>
        <input id={nameId} required maxLength={128} autocomplete="name" value={name} data-testid="join-name"
          aria-describedby={`${nameId}-hint`} onInput={(event) => setName(event.currentTarget.value)} />
        <p class="hint" id={`${nameId}-hint`}>{text.join.nameHint}</p>
      </div>
      {state.asksPin && (
        <div class="field">
          <label for={pinId}>{text.join.pin}</label>
          <input id={pinId} type="password" inputMode="numeric" enterkeyhint="go" pattern="[0-9]{4,20}" maxLength={20} autocomplete="off"
            value={pin} data-testid="join-pin" aria-describedby={`${pinId}-hint`}
            onInput={(event) => setPin(event.currentTarget.value)} />
          <p class="hint" id={`${pinId}-hint`}>{text.join.pinHint}</p>
        </div>
      )}
      <div aria-live="assertive">
        {state.joinError && (
          <p class="notice error" data-testid="join-error">
            {fill(text.join.couldNot, { reason: state.joinError })}
          </p>
        )}
      </div>
      <button class="button primary wide" disabled={busy} data-testid="join-button">
        {busy ? text.join.connecting : state.asksPin && !pin.trim() ? text.join.joinGuest : text.join.join}
      </button>
    </form>
  );
}

// On a phone's screen name and PIN come before the devices.
const wide = matchMedia('(width >= 46rem)').matches;

export function JoinPage({ app, state }: { app: App; state: State }) {
  const heading = fill(text.join.heading, { title: state.title });
  useTitle(`${heading} · ${text.app}`);
  useEffect(() => {
    if (LocalMedia.supported) void app.devices.startBoth();
  }, []);
  return (
    <div class="page">
      <header class="page-head"><Brand /></header>
      <main class="page-main join">
        <h1>{heading}</h1>
        <div class="join-columns">
          <div class="join-media">
            <Preview app={app} state={state} />
            <DeviceNotice app={app} media={state.media} />
            {LocalMedia.supported && (
              <>
                <DeviceLevel devices={app.devices} media={state.media} />
                <details open={wide} data-testid="join-devices">
                  <summary>{text.devices.heading}</summary>
                  <DeviceChoices devices={app.devices} media={state.media} />
                </details>
              </>
            )}
          </div>
          <div class="card">
            <JoinFields app={app} state={state} />
          </div>
        </div>
      </main>
    </div>
  );
}
