// The meeting: the room's picture, shared content, my own picture, who is here, and the controls.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { keptShortcuts } from '../session/kept';
import type { State } from '../store/meeting';
import { inRoom, may, otherSharer, talkers, waiting } from '../store/selectors';
import { fill, text } from '../strings';
import { Announcer } from './announcer';
import type { App } from './app';
import { ChatPanel } from './chat';
import { Controls, createCommands, useShortcuts } from './controls';
import { DeviceDialog } from './devices';
import { useStore, useStream, useTitle } from './hooks';
import { HostControls } from './host';
import { Icon } from './icons';
import { SelfView } from './join';
import { Confirm, Dialog } from './parts';
import type { Question } from './parts';
import { SidePanel } from './panel';
import { Padlock } from './receipt';
import { Roster } from './roster';
import { chime } from './chime';
import { Lobby, PinStep } from './waiting';

/** The elements that play the room; they live as long as the meeting page. In the lobby one hears the hold music. */
function RoomPicture({ app, speaker, shown }: { app: App; speaker: string; shown: boolean }) {
  const streams = useStore(app.session.streams);
  const blocked = () => app.store.dispatch({ type: 'media', media: { needsGesture: true } });
  const video = useStream<HTMLVideoElement>(streams?.room ?? null);
  const audio = useStream<HTMLAudioElement>(streams?.sound ?? null, blocked);
  useEffect(() => {
    const element = audio.current;
    if (element && speaker && 'setSinkId' in element) void element.setSinkId(speaker).catch(() => undefined);
  }, [speaker, streams]);
  return (
    <>
      <video ref={video} class={`room-video ${shown ? '' : 'veiled'}`} muted playsInline autoplay
        aria-label={text.meeting.room} data-testid="room-video" />
      <audio ref={audio} autoplay data-testid="room-audio"
        onPlaying={() => app.store.dispatch({ type: 'media', media: { needsGesture: false } })} />
    </>
  );
}

function ContentPicture({ app, name }: { app: App; name: string }) {
  const streams = useStore(app.session.streams);
  const video = useStream<HTMLVideoElement>(streams?.content ?? null);
  return (
    <figure class="content" data-testid="content-pane">
      <video ref={video} muted playsInline autoplay aria-label={text.meeting.content} data-testid="content-video" />
      <figcaption>{fill(text.meeting.sharingBy, { name })}</figcaption>
    </figure>
  );
}

function SoundButton({ state }: { state: State }) {
  if (!state.media.needsGesture) return null;
  const play = () => {
    void document.querySelector<HTMLAudioElement>('[data-testid=room-audio]')?.play();
  };
  return <button class="button primary sound" data-testid="sound" onClick={play}>{text.meeting.soundBlocked}</button>;
}

function Stage({ app, state, speaker }: { app: App; state: State; speaker: string }) {
  const inside = state.phase === 'in_room' || (state.phase === 'reconnecting' && state.room !== null);
  const sharer = inside ? otherSharer(state) : undefined;
  const talking = talkers(state).slice(0, 3).map((person) => person.name).join(', ');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []); // the page before has gone, and with it where one was
  return (
    <main class={`stage ${sharer ? 'with-content' : ''}`} data-testid="stage">
      <h1 ref={heading} tabIndex={-1} class="visually-hidden">{fill(text.meeting.title, { title: state.title })}</h1>
      {sharer && <ContentPicture app={app} name={sharer.name} />}
      <RoomPicture app={app} speaker={speaker} shown={inside} />
      {inside && inRoom(state).length === 1 && <p class="alone" data-testid="alone">{text.meeting.alone}</p>}
      {state.phase === 'pin' && <PinStep app={app} state={state} />}
      {state.phase === 'lobby' && <Lobby state={state} />}
      {state.phase === 'connecting' && <div class="slate"><p>{text.join.connecting}</p></div>}
      {inside && talking && (
        <p class="talking-line" data-testid="talking-line"><Icon name="mic" />{fill(text.meeting.talking, { names: talking })}</p>
      )}
      {state.media.camera === 'on' && (
        <div class="self-box"><SelfView track={app.devices.media.track('camera')} testid="self-video" /></div>
      )}
      <SoundButton state={state} />
    </main>
  );
}

function ReconnectBanner({ state }: { state: State }) {
  const words =
    state.reconnectAttempt > 1
      ? fill(text.meeting.reconnectingTry, { count: state.reconnectAttempt })
      : state.reconnectAttempt === 0
        ? text.meeting.comingBack // the page was loaded again
        : text.meeting.reconnecting;
  return (
    <div class="banner" role="alert" data-testid="reconnecting">
      <span class="spinner" aria-hidden="true" />
      {words}
    </div>
  );
}

function LobbyBanner({ app, state }: { app: App; state: State }) {
  const people = waiting(state).filter((person) => person.lobby_reason !== 'awaiting_host');
  const known = useRef(0);
  const allowed = may(state, 'admit');
  useEffect(() => {
    if (allowed && people.length > known.current) chime();
    known.current = people.length;
  }, [people.length, allowed]);
  const first = people[0];
  if (!allowed || !first || state.panel === 'people') return null;
  const words =
    people.length === 1
      ? fill(text.host.waiting, { name: first.name })
      : fill(text.host.waitingMany, { count: people.length });
  return (
    <div class="banner calm" data-testid="lobby-banner">
      <span role="status">{words}</span>
      {people.length === 1 && (
        <button class="button small primary" data-testid="banner-admit"
          onClick={() => void app.session.act((api) => api.admit(first.id))}>
          {text.roster.admit}
        </button>
      )}
      <button class="button small" data-testid="banner-show"
        onClick={() => app.store.dispatch({ type: 'panel', panel: 'people' })}>
        {text.host.show}
      </button>
    </div>
  );
}

function TopBar({ state }: { state: State }) {
  return (
    <header class="top-bar">
      <span class="room-title" data-testid="room-title">{state.title}</span>
      {state.room && <Padlock state={state} />}
      {state.room?.locked && (
        <span class="chip" data-testid="locked-chip"><Icon name="shield" /><span class="chip-text">{text.meeting.roomLocked}</span></span>
      )}
      {state.room?.recording && <span class="chip bad" data-testid="recording">{text.meeting.recording}</span>}
      {state.media.sharing && <span class="chip accent" data-testid="sharing-chip">{text.meeting.sharingNow}</span>}
    </header>
  );
}

function PeoplePanel({ app, state, ask }: { app: App; state: State; ask: (question: Question) => void }) {
  return (
    <SidePanel app={app} name="people" heading={fill(text.roster.heading, { count: inRoom(state).length })}>
      <div class="panel-body" tabIndex={0} role="group" aria-labelledby="people-heading">
        <Roster app={app} state={state} ask={ask} />
        <HostControls app={app} state={state} ask={ask} />
      </div>
    </SidePanel>
  );
}

function HelpDialog({ on_closed }: { on_closed: () => void }) {
  const { heading, escape, singleKeys, ...keys } = text.help;
  const [off, setOff] = useState(keptShortcuts.read() === 'off');
  const toggle = () => {
    keptShortcuts.write(off ? '' : 'off');
    setOff(!off);
  };
  return (
    <Dialog heading={heading} testid="help-dialog" on_closed={on_closed}>
      <label class="check">
        <input type="checkbox" checked={!off} data-testid="single-keys" onChange={toggle} />
        {singleKeys}
      </label>
      <dl class="keys">
        {Object.entries(keys).map(([key, words]) => (
          <div key={key}><dt><kbd>{key.toUpperCase()}</kbd></dt><dd>{words}</dd></div>
        ))}
        <div><dt><kbd>Esc</kbd></dt><dd>{escape}</dd></div>
      </dl>
      <div class="buttons">
        <button class="button primary" data-testid="help-close" onClick={on_closed}>{text.meeting.close}</button>
      </div>
    </Dialog>
  );
}

export function MeetingPage({ app, state }: { app: App; state: State }) {
  const [question, ask] = useState<Question | null>(null);
  const [draft, setDraft] = useState(''); // outlives the panel
  const [speaker, setSpeaker] = useState(app.devices.media.choice.speaker);
  const closePanel = () => app.store.dispatch({ type: 'panel', panel: 'none' });
  const commands = useMemo(() => {
    const leave = () =>
      ask({
        heading: text.confirm.leaveHeading,
        body: text.confirm.leaveText,
        yes: text.confirm.leave,
        run: () => app.session.leave(),
      });
    return createCommands(app, leave);
  }, [app]);
  useTitle(`${state.title} · ${text.app}`);
  useShortcuts(commands, closePanel, state.room !== null && question === null);
  const panel = state.room !== null ? state.panel : 'none';
  const panelOpen = panel === 'people' || panel === 'chat';
  return (
    <div class={`meeting ${panelOpen ? 'panel-open' : ''}`} data-testid="meeting">
      <Announcer state={state} />
      <TopBar state={state} />
      <Stage app={app} state={state} speaker={speaker} />
      {panel === 'people' && <PeoplePanel app={app} state={state} ask={ask} />}
      {panel === 'chat' && <ChatPanel app={app} state={state} draft={draft} setDraft={setDraft} />}
      <div class="banners">
        {state.phase === 'reconnecting' && <ReconnectBanner state={state} />}
        <LobbyBanner app={app} state={state} />
      </div>
      <Controls app={app} state={state} commands={commands} />
      {state.panel === 'settings' && (
        <DeviceDialog devices={app.devices} media={state.media} on_speaker_chosen={setSpeaker} on_closed={closePanel} />
      )}
      {state.panel === 'help' && <HelpDialog on_closed={closePanel} />}
      {question && <Confirm question={question} on_closed={() => ask(null)} />}
    </div>
  );
}
