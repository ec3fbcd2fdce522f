import { render } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { joinInfo } from './io/api';
import { me } from './store/selectors';
import type { State } from './store/meeting';
import { createApp } from './ui/app';
import { useStore } from './ui/hooks';
import { JoinPage } from './ui/join';
import { MeetingPage } from './ui/meeting';
import { Toasts } from './ui/parts';
import { StartPage } from './ui/start';
import { LeftPage } from './ui/waiting';

/** The page's state in data attributes of <html>: for styles, and for tests to wait on. No secrets. */
function publish(state: State): void {
  const own = me(state);
  Object.assign(document.documentElement.dataset, {
    state: state.phase,
    role: state.me.role,
    participant: state.me.id,
    microphone: state.media.microphone,
    camera: state.media.camera,
    sharing: String(state.media.sharing),
    hand: String(own?.hand ?? false),
    hostMuted: String(own?.muted ?? false),
    people: String(Object.values(state.participants).filter((one) => one.state === 'in_room').length),
  });
}

function Meeting({ alias }: { alias: string }) {
  const app = useMemo(() => createApp(alias), [alias]);
  const state = useStore(app.store);
  useEffect(() => {
    publish(app.store.state);
    return app.store.subscribe(() => publish(app.store.state));
  }, [app]);
  useEffect(() => {
    joinInfo(alias)
      .then((info) => app.store.dispatch({ type: 'join_info', info }))
      .catch(() => undefined); // joining will tell what is wrong
  }, [alias]);
  const joining = state.phase === 'prejoin' || (state.phase === 'connecting' && state.me.id === '');
  return (
    <>
      {joining ? (
        <JoinPage app={app} state={state} />
      ) : state.phase === 'left' ? (
        <LeftPage app={app} state={state} />
      ) : (
        <MeetingPage app={app} state={state} />
      )}
      <Toasts toasts={state.toasts} on_closed={(id) => app.store.dispatch({ type: 'toast_closed', id })} />
    </>
  );
}

function aliasFromPath(): string {
  const match = /^\/join\/([^/]+)\/?$/.exec(location.pathname);
  try {
    return match?.[1] ? decodeURIComponent(match[1]) : '';
  } catch {
    return ''; // broken %-encoding
  }
}

const alias = aliasFromPath();
const root = document.getElementById('app');
if (root) render(alias ? <Meeting alias={alias} /> : <StartPage />, root);
