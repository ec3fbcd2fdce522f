// The bar of controls, and the keys that do the same.
import { useEffect } from 'preact/hooks';
import { LocalMedia } from '../io/media';
import type { State } from '../store/meeting';
import { me, waiting } from '../store/selectors';
import { keptShortcuts } from '../session/kept';
import { text } from '../strings';
import type { App } from './app';
import { Icon } from './icons';
import type { IconName } from './icons';

export interface Commands {
  mute(): void;
  camera(): void;
  share(): void;
  hand(): void;
  chat(): void;
  people(): void;
  leave(): void;
}

export function createCommands(app: App, on_leave_asked: () => void): Commands {
  const { store, session, devices } = app;
  return {
    mute: () => void devices.setMicrophone(store.state.media.microphone !== 'on'), // SelfMute tells the server
    camera: () => void devices.setCamera(store.state.media.camera !== 'on'),
    share: () => void devices.setSharing(!store.state.media.sharing),
    hand: () => {
      const hand = !me(store.state)?.hand;
      store.dispatch({ type: 'self_changed', changes: { hand } });
      void session.act((api, id) => api.update(id, { hand })).then((done) => {
        if (!done) store.dispatch({ type: 'self_changed', changes: { hand: !hand } });
      });
    },
    chat: () => store.dispatch({ type: 'panel', panel: 'chat' }),
    people: () => store.dispatch({ type: 'panel', panel: 'people' }),
    leave: on_leave_asked,
  };
}

const kKeys: Record<string, keyof Commands> = {
  m: 'mute',
  v: 'camera',
  s: 'share',
  h: 'hand',
  c: 'chat',
  p: 'people',
  l: 'leave',
};

/** Whether a key press is meant for the page, and not for a field, the browser or a screen reader. */
function isShortcut(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return false;
  const target = event.target instanceof Element ? event.target : null;
  return !target?.closest('input, select, textarea, dialog, [contenteditable]');
}

export function useShortcuts(commands: Commands, on_escaped: () => void, enabled: boolean): void {
  useEffect(() => {
    if (!enabled) return;
    const on_key_pressed = (event: KeyboardEvent) => {
      if (!isShortcut(event)) return;
      if (event.key === 'Escape') on_escaped();
      const command = keptShortcuts.read() === 'off' ? undefined : kKeys[event.key.toLowerCase()];
      if (command) {
        event.preventDefault();
        commands[command]();
      }
    };
    addEventListener('keydown', on_key_pressed);
    return () => removeEventListener('keydown', on_key_pressed);
  });
}

interface ControlProps {
  icon: IconName;
  label: string;
  testid: string;
  shortcut?: string;
  /** For tests: labels change with the state, so aria-pressed would say it twice. */
  on?: boolean;
  expanded?: boolean;
  tone?: 'off' | 'accent' | 'danger';
  badge?: number;
  badgeWords?: string;
  on_pressed: () => void;
}

function Control(props: ControlProps) {
  const { label, shortcut } = props;
  return (
    <button class={`control ${props.tone ?? ''}`} data-testid={props.testid} data-on={props.on}
      aria-expanded={props.expanded} aria-keyshortcuts={shortcut}
      title={shortcut ? `${label} (${shortcut.toUpperCase()})` : label} onClick={props.on_pressed}>
      <Icon name={props.icon} />
      <span class="control-label">{label}</span>
      {props.badge ? (
        <span class="count">
          {props.badge}
          <span class="visually-hidden"> {props.badgeWords}</span>
        </span>
      ) : null}
    </button>
  );
}

/** What pressing the button does; where it can do nothing for the sound, why. */
function microphoneLabel(state: State): string {
  const { microphone } = state.media;
  if (microphone === 'denied') return text.meeting.micBlocked;
  if (microphone === 'missing') return text.meeting.noMicrophone;
  if (me(state)?.muted) return text.meeting.mutedByHost;
  return microphone === 'on' ? text.meeting.mute : text.meeting.unmute;
}

/** Where there is no room yet (PIN, lobby), the own devices and the way out remain. */
export function Controls({ state, commands, app }: { state: State; commands: Commands; app: App }) {
  const { microphone, camera, sharing } = state.media;
  const micOn = microphone === 'on';
  const cameraOn = camera === 'on';
  const inside = state.room !== null;
  const own = me(state);
  const micLabel = microphoneLabel(state);
  const open = (panel: 'settings' | 'help') => app.store.dispatch({ type: 'panel', panel });
  return (
    <div class="controls" role="region" aria-label={text.meeting.controls} data-testid="controls">
      <Control icon={micOn && !own?.muted ? 'mic' : 'micOff'} label={micLabel} testid="mute" shortcut="m"
        on={micOn} tone={micOn && !own?.muted ? undefined : 'off'} on_pressed={commands.mute} />
      <Control icon={cameraOn ? 'camera' : 'cameraOff'} label={cameraOn ? text.meeting.cameraOff : text.meeting.cameraOn}
        testid="camera" shortcut="v" on={cameraOn} tone={cameraOn ? undefined : 'off'} on_pressed={commands.camera} />
      {inside && LocalMedia.canShare && (
        <Control icon="share" label={sharing ? text.meeting.stopShare : text.meeting.share} testid="share" shortcut="s"
          on={sharing} tone={sharing ? 'accent' : undefined} on_pressed={commands.share} />
      )}
      {inside && (
        <>
          <Control icon="hand" label={own?.hand ? text.meeting.handDown : text.meeting.hand} testid="hand" shortcut="h"
            on={own?.hand ?? false} tone={own?.hand ? 'accent' : undefined} on_pressed={commands.hand} />
          <Control icon="chat" label={text.chat.heading} testid="chat" shortcut="c" expanded={state.panel === 'chat'}
            badge={state.chat.unread} badgeWords={text.chat.unread} on_pressed={commands.chat} />
          <Control icon="people" label={text.meeting.people} testid="people" shortcut="p"
            expanded={state.panel === 'people'} badge={waiting(state).length} badgeWords={text.meeting.waiting}
            on_pressed={commands.people} />
        </>
      )}
      <Control icon="settings" label={text.meeting.devices} testid="devices" on_pressed={() => open('settings')} />
      <span class="wide-only">
        <Control icon="help" label={text.meeting.help} testid="help" on_pressed={() => open('help')} />
      </span>
      <Control icon="leave" label={text.meeting.leave} testid="leave" shortcut="l" tone="danger"
        on_pressed={commands.leave} />
    </div>
  );
}
